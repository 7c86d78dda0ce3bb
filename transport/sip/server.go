// SPDX-License-Identifier: MIT

package sip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/mwi"
	"github.com/callwright/callwright/transport/sip/registrar"
	"github.com/callwright/callwright/transport/sip/secure"
	"github.com/callwright/callwright/transport/sip/trunk"
)

// Media opens the streams of legs.
type Media interface {
	// Open opens a stream and says where it receives.
	Open(media.StreamOptions) (media.StreamID, netip.AddrPort, error)
	// Connect says what was settled with the peer, and may say so again.
	Connect(media.StreamID, media.Remote) error
	// SendDigits sends keys to the peer in the sound or beside it.
	SendDigits(media.StreamID, string) error
	// CloseStream ends a stream; its Closed event follows.
	CloseStream(media.StreamID) error
}

// Calls takes the legs that come in.
type Calls interface {
	// Arrive makes a call of a leg. With an error the leg is still ours.
	Arrive(engine.Leg, engine.Arrival) error
	// Refuse keeps a record of a call that was not taken.
	Refuse(engine.Arrival, engine.Refusal)
}

// Config is what a Server is made of.
type Config struct {
	// Listen are the addresses to be reached on (sip.listen); Advertise is what
	// peers are told instead (sip.advertise), MediaAdvertise the same for sound
	// (media.advertise).
	Listen         []string
	Advertise      string
	MediaAdvertise netip.Addr
	// TLS are the PEM files of tls:// and wss:// addresses (sip.tls), Proxies the
	// networks of proxies in front of us (sip.proxies).
	TLS     TLS
	Proxies []netip.Prefix
	// DNS are servers to ask in place of those of the system, "192.0.2.53:53".
	DNS []string
	// Connections is how many connections peers may have open; 0 is 1,000.
	Connections int
	// SessionExpires is how often the peers of a call make sure of each other
	// (sip.session_expires), MediaTimeout how long one may be silent
	// (media.timeout); 0 is for ever.
	SessionExpires, MediaTimeout time.Duration
	Directory                    *directory.Directory
	Media                        Media
	Log                          *slog.Logger
	// Realm is what users' passwords are for; empty is digest.DefaultRealm.
	Realm string
	// Mailboxes counts messages; without it phones are not told that some wait.
	Mailboxes mwi.Mailboxes
	// Journal keeps registrations, Saved are those that it kept, and Node names
	// this machine in new ones.
	Journal registrar.Journal
	Saved   []directory.Registration
	Node    string
}

// TLS are PEM files: our certificate, its key, and those who may sign the
// certificates that peers show.
type TLS struct{ Cert, Key, ClientCA string }

// Server is the SIP side of callwright. It is the engine's Dialer, Location and
// Indicator.
type Server struct {
	cfg       Config
	log       *slog.Logger
	calls     Calls
	registrar *registrar.Registrar
	trunks    *trunk.Trunks
	gate      *gate
	lamps     *mwi.Lamps // nil without mailboxes
	endpoint  *dialog.Endpoint
	started   chan struct{} // closed when endpoint is set: calls may come before
	silence   time.Duration // after which the next way is tried
	ctx       context.Context
	stop      context.CancelFunc // ends what waits for the DNS
}

// errNoWay says that it is not known how the other side is reached.
var errNoWay = errors.New("no way to its address")

// New makes a Server that is not reachable yet.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, log: cfg.Log, started: make(chan struct{}), silence: silence}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.registrar = registrar.New(registrar.Config{
		Journal: cfg.Journal, Log: cfg.Log, Node: cfg.Node, Saved: cfg.Saved, Reachable: s.reachable,
		May: func(account, user string) bool {
			u, ok := cfg.Directory.User(account, user)
			return ok && u.Username != ""
		},
	})
	s.trunks = trunk.New(trunk.Config{Directory: cfg.Directory, Peer: s.peer, Log: cfg.Log})
	s.gate = newGate(cfg, s.registrar, s.trunks)
	s.gate.refuse = s.keep
	if cfg.Mailboxes != nil {
		s.lamps = s.newLamps()
	}
	return s
}

// Start opens the sockets; calls that come in are given to calls. The error
// names the address that cannot be used and what to change.
func (s *Server) Start(calls Calls) (err error) {
	s.calls = calls
	defer close(s.started)
	cfg := dialog.Config{
		Listen: s.cfg.Listen, TLS: secure.Files(s.cfg.TLS), DNS: s.cfg.DNS, Advertise: s.cfg.Advertise, Product: "callwright", Proxies: s.cfg.Proxies,
		Connections: s.cfg.Connections,
		Refused:     s.refused, Admit: s.admits, Challenge: s.gate.look, Register: s.register, Incoming: s.incoming, Log: s.log,
		SessionExpires: s.cfg.SessionExpires,
	}
	if s.lamps != nil {
		cfg.Events, cfg.Subscribe = mwi.Event, s.subscribe
	}
	s.endpoint, err = dialog.Listen(cfg)
	if err == nil {
		s.registrar.Start()
		s.trunks.Start()
		if s.lamps != nil {
			s.lamps.Start()
		}
		s.warnOfOpenKeys()
		s.warnOfFiles()
	}
	return err
}

// Addr gives the address that is listened on, of "udp", "tcp", "tls", "ws" or
// "wss".
func (s *Server) Addr(network string) netip.AddrPort { return s.endpoint.Addr(network) }

// Drain has load balancers that ask by OPTIONS told to send no more calls here.
func (s *Server) Drain() { s.endpoint.Drain() }

// Close ends all legs and frees the sockets, also of a Server that could not be
// started.
func (s *Server) Close() error {
	if s.endpoint == nil {
		return nil
	}
	s.stop()
	if s.lamps != nil {
		s.lamps.Close()
	}
	s.trunks.Close()
	err := s.endpoint.Close()
	s.registrar.Close()
	return err
}

// admits says whether a source is heard at all without credentials: it must be
// that of a trunk, of one that we are registered with, or of a phone that is
// registered with us.
func (s *Server) admits(source netip.AddrPort) bool {
	_, ok := s.cfg.Directory.TrunkFrom(source.Addr())
	return ok || s.registrar.Knows(source) || s.trunks.Knows(source.Addr())
}

// peer is the other side of a trunk, for what is asked outside of calls.
func (s *Server) peer(t directory.Trunk) (trunk.Peer, error) {
	return s.endpoint.Asker(dialog.Asking{
		To: "sip:" + t.Address, User: routeByTrunk(t, "").at(cmp.Or(t.Username, t.From, "callwright")),
		Username: t.Username, Password: t.Password, TLS: security(t.TLS),
	})
}

// Trunks gives how the trunks do.
func (s *Server) Trunks() []directory.TrunkStatus { return s.trunks.Status() }

// mediaAddress is what a peer is told to send sound to.
func (s *Server) mediaAddress(local netip.AddrPort, peer string) (netip.AddrPort, error) {
	told, both := s.cfg.MediaAdvertise, local.Addr() == netip.IPv6Unspecified()
	switch {
	case told.IsValid() && !both:
		return netip.AddrPortFrom(told, local.Port()), nil
	case !local.Addr().IsUnspecified():
		return local, nil
	}
	ours, err := dialog.Towards(peer)
	switch {
	case err != nil:
		return netip.AddrPort{}, fmt.Errorf("%w: %w", errNoWay, err)
	case told.IsValid() && told.Is4() == ours.Is4():
		return netip.AddrPortFrom(told, local.Port()), nil
	case !both && !ours.Is4():
		return netip.AddrPort{}, fmt.Errorf("%w: %s is reached from %s, but media.listen is %s: set it to :: for both", errNoWay, peer, ours, local.Addr())
	}
	return netip.AddrPortFrom(ours, local.Port()), nil
}

var _ engine.Dialer = (*Server)(nil)
