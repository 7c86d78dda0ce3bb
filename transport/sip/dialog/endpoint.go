// SPDX-License-Identifier: MIT

package dialog

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/intake"
	"github.com/callwright/callwright/transport/sip/resolve"
	"github.com/callwright/callwright/transport/sip/secure"
	"github.com/callwright/callwright/transport/sip/shield"
	"github.com/callwright/callwright/transport/sip/stream"
)

// Config is what an Endpoint needs to know.
type Config struct {
	// Listen are the addresses to be reached on: "udp://0.0.0.0:5060",
	// "tcp://127.0.0.1:0", and the same with tls, ws and wss. Calls by UDP leave
	// from them too.
	Listen []string
	// TLS is what tls:// and wss:// are served with. Its certificate is shown to
	// peers, too, that ask for one.
	TLS secure.Files
	// DNS are servers to ask in place of those of the system: "192.0.2.53:53".
	DNS []string
	// Advertise is the host name or address that peers are told to reach us
	// at; empty means the address of the interface that leads to them.
	Advertise string
	// Product names us in the User-Agent and Server headers.
	Product string
	// Proxies are the networks of proxies of ours in front: they are admitted,
	// and what they say about where a request came from is believed.
	Proxies []netip.Prefix
	// Connections is how many connections peers may have open to us by TCP, TLS,
	// WS and WSS together; 0 is 1,000. Those of strangers make place
	// for others.
	Connections int
	// Admit says whether a source may begin something with us. Others get a
	// 403, of which Refused is told; what belongs to a call of ours is let
	// through from anywhere. nil admits everybody.
	Admit func(netip.AddrPort) bool
	// Refused, if set, is told of a request that was refused before anybody else
	// has seen it: of a few in a second, and how many it was not told of since
	// the last. The Response's Reason is empty for a source that is not admitted.
	// It must not block.
	Refused func(r Request, no Response, missed int)
	// Challenge, if set, is asked about every REGISTER and SUBSCRIBE and every
	// INVITE that begins a call, whatever its source, in place of Admit. It gives what to
	// answer, or nil to let it in; a 403 to a source that is not admitted is
	// limited and logged as any other stranger's. It is asked about each copy
	// of a request, and must not count what it lets in.
	Challenge func(Request) *Response
	// Register answers a REGISTER that was let in. It may wait, but only for
	// some seconds. Without it REGISTER is refused with 405.
	Register func(Request) Response
	// Events are the event packages that one may watch, as Allow-Events has them,
	// and Subscribe answers a SUBSCRIBE for one of them that was let in: a 2xx makes
	// its sender the Watcher, or leaves it that. It may wait, but only for some
	// seconds. Without it SUBSCRIBE is refused with 405.
	Events    string
	Subscribe func(*Watcher, Request) Response
	// Notified answers a NOTIFY that belongs to no call. Without it there is
	// nothing that one could be about (481).
	Notified func(r Request, body []byte) Response
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
	// second is how long a second of RFC 4028 lasts, and connect how long a
	// connection may take to come about, for tests. Zero means a second and
	// connectTimeout.
	second, connect time.Duration
}

// Endpoint is a SIP user agent: its sockets and its dialogs.
type Endpoint struct {
	cfg       Config
	log       *slog.Logger
	quiet     *slog.Logger // what sipgo says, as debug messages
	parser    *sip.Parser
	listeners []*listener
	streams   *stream.Pool
	resolver  *resolve.Resolver
	lanes     *lanes
	tx        *transactions
	dialogs   *registry
	strangers *strangers
	shield    *shield.Shield
	// asking has, by our tag, where responses to what an Asker asks go, and
	// watchers who is notified.
	asking, watchers sync.Map
	// secret is in every tag and branch that we make. Who sends it back was
	// given it, so a message with it belongs to a call of ours.
	secret string
	// expires is Config.SessionExpires in seconds.
	expires int
	closing atomic.Bool
	ctx     context.Context // ends with Close, behind the last message
	cancel  context.CancelFunc
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
//   - Its default log gets nothing that is not in the transactions' own.
var sipgoSetup = sync.OnceFunc(func() {
	const linger = 5 * time.Second
	sip.Timer_H, sip.Timer_J, sip.Timer_L = linger, linger, linger
	sip.Timer_D, sip.Timer_M = linger, linger
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
	if cfg.connect == 0 {
		cfg.connect = connectTimeout
	}
	expires := int(cfg.SessionExpires / time.Second)
	if cfg.SessionExpires != 0 && expires < minExpires {
		return nil, fmt.Errorf("sip.session_expires: %v is too short; want at least %d s (RFC 4028 section 4), or 0", cfg.SessionExpires, minExpires)
	}
	e := &Endpoint{
		expires: expires,
		cfg:     cfg, log: cfg.Log, quiet: slog.New(murmur{cfg.Log.Handler()}),
		lanes: newLanes(), tx: newTransactions(), dialogs: newRegistry(),
		strangers: newStrangers(), shield: shield.New(), secret: token(8), parser: sip.NewParser(),
	}
	e.parser.MaxMessageLength = intake.MaxMessage
	e.ctx, e.cancel = context.WithCancel(context.Background())
	if err := e.listen(); err != nil {
		e.cancel()
		e.closeListeners()
		return nil, err
	}
	for _, l := range e.listeners {
		e.serving.Go(func() { e.serve(l) })
	}
	return e, nil
}

// listen opens the sockets. What it has opened before an error stays open.
func (e *Endpoint) listen() error {
	var server *secure.Server
	if e.cfg.TLS != (secure.Files{}) {
		var err error
		if server, err = secure.NewServer(e.cfg.TLS, e.log); err != nil {
			return err
		}
	}
	for _, address := range e.cfg.Listen {
		l, err := listen(address, e.log)
		if err != nil {
			return err
		}
		e.listeners = append(e.listeners, l)
		if secured(l.network) && server == nil {
			return fmt.Errorf("sip.listen: %q: %w", address, secure.ErrNoCertificate)
		}
	}
	if len(e.listeners) == 0 {
		return errors.New("sip.listen: want at least one address, for example udp://0.0.0.0:5060")
	}
	e.streams = stream.New(stream.Config{
		Message: e.takeMessage, Refused: e.refuseStream, Server: server, Most: e.cfg.Connections, Log: e.log,
	})
	e.resolver = resolve.New(resolve.Config{Servers: e.cfg.DNS, Networks: e.networks()})
	return nil
}

// networks are the transports that we choose from where a peer leaves it to us.
func (e *Endpoint) networks() []string {
	if slices.ContainsFunc(e.listeners, func(l *listener) bool { return l.packets != nil }) {
		return []string{"UDP", stream.TCP, stream.TLS}
	}
	return []string{stream.TCP, stream.TLS}
}

func (e *Endpoint) serve(l *listener) {
	if l.packets != nil {
		l.packets.serve(e.takePacket)
	} else {
		e.streams.Serve(l.stream, l.network)
	}
}

func (e *Endpoint) closeListeners() {
	for _, l := range e.listeners {
		l.close()
	}
}

// Addr gives the address of the first listener on a network, "udp", "tcp", "tls",
// "ws" or "wss", and the zero value if there is none.
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
	e.cancel()
	e.closeListeners()
	e.streams.Close()
	e.serving.Wait()
	return nil
}

// token gives n random bytes in hexadecimal.
func token(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// newTag gives a tag or, behind the magic cookie, a branch of ours.
func (e *Endpoint) newTag() string { return e.secret + token(6) }
