// SPDX-License-Identifier: MIT

package phone

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/tone"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/sdp"
	"github.com/callwright/callwright/transport/sip/secure"
)

// Level is how loud a phone plays its tone, in dB relative to full scale: as a
// person speaks.
const Level = tone.ZeroDBm0 - 15

// Config is what a phone needs to know. Only Listen and User are required.
type Config struct {
	// Listen is the address of its SIP socket, "127.0.0.1:0"; RTP uses the same
	// host and ports that the system chooses.
	Listen string
	// Network is "udp" (the default), "tcp", "tls", "ws" or "wss".
	Network string
	// TLS is what the connections by TLS are secured with that it opens, Files
	// those that come.
	TLS   secure.Client
	Files secure.Files
	// User and Name are who it is: sip:User@Listen.
	User, Name string
	// Tone is what it plays from the moment sound may flow, in Hz; 0 is silence.
	Tone float64
	// Codecs are what it speaks, most preferred first; none means all.
	Codecs []media.Codec
	// SRTP says whether sound is encrypted, and Suites by what, most preferred
	// first; none means all.
	SRTP   sdp.Policy
	Suites []media.Suite
	// PacketTime is how much sound it sends, and asks for, in one packet: 10 to
	// 60 ms; 0 means 20.
	PacketTime time.Duration
	// NoEvents has it do without telephone-event, NoInfo refuse keys by INFO.
	NoEvents, NoInfo bool
	// NotifyStatus is what it answers a NOTIFY with; 0 is 200.
	NotifyStatus int
	// Trace, if set, is told every SIP message.
	Trace func(dialog.Message)
	// Log, if set, gets what goes wrong beside the calls.
	Log *slog.Logger
}

// Phone is a telephone with one line and any number of calls.
type Phone struct {
	cfg      Config
	host     netip.Addr
	endpoint *dialog.Endpoint
	calls    chan *Call
	notices  chan Notification
}

// New switches a phone on.
func New(cfg Config) (*Phone, error) {
	if cfg.Network == "" {
		cfg.Network = "udp"
	}
	if cfg.PacketTime == 0 {
		cfg.PacketTime = media.FrameDuration
	}
	if cfg.PacketTime < 10*time.Millisecond || cfg.PacketTime > 60*time.Millisecond {
		return nil, fmt.Errorf("phone: packet time: %v instead of 10 to 60 ms", cfg.PacketTime)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	at, err := netip.ParseAddrPort(cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("phone: listen: %w", err)
	}
	p := &Phone{cfg: cfg, host: at.Addr(), calls: make(chan *Call, 64), notices: make(chan Notification, 64)}
	p.endpoint, err = dialog.Listen(dialog.Config{
		Listen: []string{cfg.Network + "://" + cfg.Listen}, TLS: cfg.Files, Product: "callwright-phone",
		Incoming: p.incoming, Notified: p.notified, Log: cfg.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("phone: %w", err)
	}
	return p, nil
}

// Close hangs up and switches the phone off.
func (p *Phone) Close() error { return p.endpoint.Close() }

// Addr is where the phone can be reached.
func (p *Phone) Addr() netip.AddrPort { return p.endpoint.Addr(p.cfg.Network) }

// URI is the phone's address: "sip:alice@127.0.0.1:40000".
func (p *Phone) URI() string {
	uri := "sip:" + dialog.EscapeUser(p.cfg.User) + "@" + p.Addr().String()
	if p.cfg.Network != "udp" {
		uri += ";transport=" + p.cfg.Network
	}
	return uri
}

// CallOptions say how Dial calls.
type CallOptions struct {
	// Headers go with the INVITE.
	Headers []dialog.Header
	// Username and Password answer a digest challenge.
	Username, Password string
	// From is shown instead of the phone's own address.
	From dialog.Party
}

// Dial begins a call to a SIP URI. See WaitAnswer for what comes of it.
func (p *Phone) Dial(to string, o CallOptions) (*Call, error) {
	c, err := p.newCall()
	if err != nil {
		return nil, err
	}
	if o.From.URI == "" {
		o.From = dialog.Party{Name: p.cfg.Name, URI: p.URI()}
	}
	c.out = true
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dialog, err = p.endpoint.Call(dialog.Call{
		To: to, From: o.From, Headers: o.Headers, Body: c.session.Offer(),
		Username: o.Username, Password: o.Password, TLS: p.cfg.TLS,
	}, c.handler())
	if err != nil {
		c.line.close()
		return nil, fmt.Errorf("phone: call %s: %w", to, err)
	}
	return c, nil
}

// Accept waits for the next call to the phone. Ring, Answer or Reject it.
func (p *Phone) Accept(ctx context.Context) (*Call, error) {
	select {
	case c := <-p.calls:
		return c, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("phone: %s was not called: %w", p.cfg.User, context.Cause(ctx))
	}
}

func (p *Phone) incoming(d *dialog.Dialog, in dialog.Invitation) dialog.Handler {
	c, err := p.newCall()
	if err != nil {
		p.cfg.Log.Warn("phone: refused a call", "err", err)
		d.Hangup(503, "Service Unavailable")
		return dialog.Handler{}
	}
	c.dialog, c.Invitation = d, in
	if len(in.Body) > 0 {
		var remote media.Remote
		if c.answer, remote, err = c.session.Answer(in.Body); err != nil {
			p.cfg.Log.Warn("phone: refused a call", "err", err)
			d.Hangup(488, "Not Acceptable Here")
			return c.handler() // closes the socket at the end
		}
		c.agree(remote)
	}
	select {
	case p.calls <- c:
	default: // nobody accepts
		d.Hangup(486, "Busy Here")
	}
	return c.handler()
}

// patience is how long a wait goes on when its context has no end.
const patience = time.Minute
