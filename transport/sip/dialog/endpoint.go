// SPDX-License-Identifier: MIT

package dialog

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/shield"
)

// Config is what an Endpoint needs to know.
type Config struct {
	// Listen are the addresses to be reached on: "udp://0.0.0.0:5060",
	// "tcp://127.0.0.1:0". Calls leave from them too.
	Listen []string
	// Advertise is the host name or address that peers are told to reach us
	// at; empty means the address of the interface that leads to them.
	Advertise string
	// Product names us in the User-Agent and Server headers.
	Product string
	// Proxies are the networks of proxies of ours in front: they are admitted,
	// and what they say about where a request came from is believed.
	Proxies []netip.Prefix
	// Admit says whether a source may begin something with us. Others get a
	// 403, of which Refused is told; what belongs to a call of ours is let
	// through from anywhere. nil admits everybody.
	Admit func(netip.AddrPort) bool
	// Refused, if set, is told of a request that was refused before anybody else
	// has seen it: of a few in a second, and how many it was not told of since
	// the last. The Response's Reason is empty for a source that is not admitted.
	// It must not block.
	Refused func(r Request, no Response, missed int)
	// Challenge, if set, is asked about every REGISTER and every INVITE that
	// begins a call, whatever its source, in place of Admit. It gives what to
	// answer, or nil to let it in; a 403 to a source that is not admitted is
	// limited and logged as any other stranger's. It is asked about each copy
	// of a request, and must not count what it lets in.
	Challenge func(Request) *Response
	// Register answers a REGISTER that was let in. It may wait, but only for
	// some seconds. Without it REGISTER is refused with 405.
	Register func(Request) Response
	// Incoming is told every new call and says what to do with it. It must not
	// block: Progress, Answer and Hangup may be called later. Required if calls
	// are to come in; without it they are refused with 480.
	Incoming func(*Dialog, Invitation) Handler
	// Log gets what no call can be told. Required.
	Log *slog.Logger
	// T1 and T2 are the timers of RFC 3261 for what we do ourselves: answers
	// that wait for their ACK. Zero means 500 ms and 4 s.
	T1, T2 time.Duration
	// SessionExpires is how long a session lasts that nobody refreshes (RFC
	// 4028), if the peer can refresh; 0 leaves that to the peer. It is at least
	// 90 seconds.
	SessionExpires time.Duration
	// second is how long a second of RFC 4028 lasts, for tests.
	second time.Duration
}

// Endpoint is a SIP user agent: its sockets and its dialogs.
type Endpoint struct {
	cfg       Config
	log       *slog.Logger
	quiet     *slog.Logger // what sipgo says, as debug messages
	transport *sip.TransportLayer
	listeners []*listener
	lanes     *lanes
	tx        *transactions
	dialogs   *registry
	strangers *strangers
	shield    *shield.Shield
	// asking has, by our tag, where responses to what an Asker asks go.
	asking sync.Map
	// secret is in every tag and branch that we make. Who sends it back was
	// given it, so a message with it belongs to a call of ours.
	secret string
	// expires is Config.SessionExpires in seconds.
	expires int
	closing atomic.Bool
	// draining says that nothing new is to come here.
	draining atomic.Bool
	serving  sync.WaitGroup
}

// sipgoSetup sets what sipgo keeps in package variables, once in a process and
// before anything reads them:
//
//   - Timers H, J and L say how long a finished server transaction is kept to
//     absorb repetitions: 32 s by the RFC, which at 1,000 calls a second is
//     400 MB. Five seconds still catch what a working network repeats, and a
//     dialog catches a late INVITE by itself.
//   - Timer M and D are the same for the client side; a 200 that comes later is
//     answered without a transaction (see stray.go).
//   - UDPMTUSize would refuse to send any message beyond 1,300 bytes. Responses
//     have no other way to go, so it is lifted; requests are checked by us.
//   - Its default log gets only complaints about its own counting of references
//     to connections that are closed.
var sipgoSetup = sync.OnceFunc(func() {
	const linger = 5 * time.Second
	sip.Timer_H, sip.Timer_J, sip.Timer_L = linger, linger, linger
	sip.Timer_D, sip.Timer_M = linger, linger
	sip.UDPMTUSize = 65507 + 200
	sip.SetDefaultLogger(slog.New(slog.DiscardHandler))
})

// Listen opens the sockets of a new Endpoint and serves them until Close. The
// error names the address that cannot be used and what to change.
func Listen(cfg Config) (*Endpoint, error) {
	sipgoSetup()
	if cfg.T1 == 0 {
		cfg.T1 = 500 * time.Millisecond
	}
	if cfg.T2 == 0 {
		cfg.T2 = 4 * time.Second
	}
	if cfg.second == 0 {
		cfg.second = time.Second
	}
	expires := int(cfg.SessionExpires / time.Second)
	if cfg.SessionExpires != 0 && expires < minExpires {
		return nil, fmt.Errorf("sip.session_expires: %v is too short; want at least %d s (RFC 4028 section 4), or 0", cfg.SessionExpires, minExpires)
	}
	e := &Endpoint{
		expires: expires,
		cfg:     cfg, log: cfg.Log, quiet: slog.New(murmur{cfg.Log.Handler()}),
		lanes: newLanes(), tx: newTransactions(), dialogs: newRegistry(),
		strangers: newStrangers(), shield: shield.New(), secret: token(8),
	}
	for _, address := range cfg.Listen {
		l, err := listen(address, e.log)
		if err != nil {
			for _, opened := range e.listeners {
				opened.close()
			}
			return nil, err
		}
		e.listeners = append(e.listeners, l)
	}
	if len(e.listeners) == 0 {
		return nil, errors.New("sip.listen: want at least one address, for example udp://0.0.0.0:5060")
	}
	e.transport = sip.NewTransportLayer(net.DefaultResolver, sip.NewParser(), nil,
		sip.WithTransportLayerLogger(e.quiet), sip.WithTransportLayerReadFilter(e.filter),
		sip.WithTransportLayerTransports(sip.TransportsConfig{TCP: &sip.TransportTCP{WriteTimeout: writeTimeout}}))
	e.transport.OnMessage(e.receive)
	for _, l := range e.listeners {
		e.serving.Go(func() { e.serve(l) })
		<-l.ready
	}
	return e, nil
}

func (e *Endpoint) serve(l *listener) {
	var err error
	if l.packets != nil {
		err = e.transport.ServeUDP(l.packets)
	} else {
		err = e.transport.ServeTCP(l.stream)
	}
	if err != nil && !errors.Is(err, net.ErrClosed) {
		e.log.Error("SIP listener stopped", "address", l.addr, "error", err)
	}
}

// Addr gives the address of the first listener on a network, "udp" or "tcp",
// and the zero value if there is none.
func (e *Endpoint) Addr(network string) netip.AddrPort {
	for _, l := range e.listeners {
		if l.network == sip.NetworkToUpper(network) {
			return l.addr
		}
	}
	return netip.AddrPort{}
}

// Drain has peers that ask by OPTIONS told to send nothing new (503). Calls, and
// new ones too, go on: whoever takes those refuses them.
func (e *Endpoint) Drain() { e.draining.Store(true) }

// Close ends all dialogs, each with its Ended event, and frees the sockets.
// Peers are told by BYE, CANCEL or 503 but not waited for. It may be called
// more than once, but not from a Handler.
func (e *Endpoint) Close() error {
	if e.closing.Swap(true) {
		return nil
	}
	for _, d := range e.dialogs.close() {
		d.abandon()
	}
	e.lanes.close()
	e.tx.terminateAll()
	for _, l := range e.listeners {
		l.close()
	}
	err := e.transport.Close()
	e.serving.Wait()
	return err
}

// token gives n random bytes in hexadecimal.
func token(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// newTag gives a tag or, behind the magic cookie, a branch of ours.
func (e *Endpoint) newTag() string { return e.secret + token(6) }

// local says what to write into Via and Contact for a peer, and which of our
// sockets to use. network is "UDP" or "TCP".
func (e *Endpoint) local(network, peer string) (host string, port int, bind sip.Addr, err error) {
	host, _, err = net.SplitHostPort(peer)
	if err != nil {
		return "", 0, bind, fmt.Errorf("SIP address %q: %w", peer, err)
	}
	remote, parseErr := netip.ParseAddr(host)
	for _, l := range e.listeners {
		ours := l.addr.Addr()
		if l.network != network || parseErr == nil && ours.Is4() != remote.Unmap().Is4() {
			continue
		}
		if network == "UDP" {
			bind = sip.Addr{IP: net.IP(ours.AsSlice()), Port: int(l.addr.Port())}
		}
		switch {
		case e.cfg.Advertise != "":
			host = e.cfg.Advertise
		case ours.IsUnspecified():
			interfaceTo, err := Towards(peer)
			if err != nil {
				return "", 0, bind, err
			}
			host = interfaceTo.String()
		default:
			host = ours.WithZone("").String()
		}
		return host, int(l.addr.Port()), bind, nil
	}
	return "", 0, bind, fmt.Errorf("no socket of ours can reach %s by %s; add a %s:// address to sip.listen",
		peer, network, sip.NetworkToLower(network))
}

// Towards gives our address on the interface that leads to a peer ("host:port").
// Connecting a UDP socket asks the routing table and sends nothing.
func Towards(peer string) (netip.Addr, error) {
	c, err := net.Dial("udp", peer)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("find the interface to %s: %w", peer, err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap().WithZone(""), nil
}

// registry finds dialogs.
type registry struct {
	mu sync.Mutex
	// tags has every dialog by our tag.
	tags map[string]*Dialog
	// invites has those whose INVITE is not settled yet by what identifies it,
	// so that a repetition finds it without its transaction.
	invites map[string]*Dialog
	closed  bool
}

func newRegistry() *registry {
	return &registry{tags: map[string]*Dialog{}, invites: map[string]*Dialog{}}
}

// add says false if the endpoint was closed.
func (r *registry) add(d *Dialog, invite string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.tags[d.tag] = d
	if invite != "" {
		r.invites[invite] = d
	}
	return true
}

func (r *registry) remove(d *Dialog) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.tags, d.tag)
}

func (r *registry) settle(invite string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.invites, invite)
}

// find gives the dialog with our tag and the Call-ID, or nil.
func (r *registry) find(tag, callID string) *Dialog {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := r.tags[tag]; d != nil && d.callID == callID {
		return d
	}
	return nil
}

func (r *registry) invited(invite string) *Dialog {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.invites[invite]
}

// close lets no more dialogs in and gives those that are there.
func (r *registry) close() []*Dialog {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	all := make([]*Dialog, 0, len(r.tags))
	for _, d := range r.tags {
		all = append(all, d)
	}
	return all
}
