// SPDX-License-Identifier: MIT

package sip

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/phone"
	"github.com/callwright/callwright/transport/sip/secure"
	"github.com/callwright/callwright/transport/sip/secure/securetest"
)

// secured gives a house that also listens on TLS, WS and WSS, and lets entries be
// changed.
func secured(t *testing.T, a *securetest.Authority, change func(*directory.Entries)) *house {
	t.Helper()
	return newHouse(t, func(h *house, e *directory.Entries) {
		h.listen = []string{"tls://127.0.0.1:0", "ws://127.0.0.1:0", "wss://127.0.0.1:0"}
		h.tls.Cert, h.tls.Key = a.Issue("127.0.0.1", "localhost")
		h.tls.ClientCA = a.CA
		change(e)
	})
}

// plain gives the next event that is no note either: of how sound is encrypted.
func (c *call) plain() engine.LegEvent {
	c.t.Helper()
	for {
		ev := c.next()
		if _, ok := ev.(engine.LegNote); !ok {
			return ev
		}
	}
}

func (c *call) answered() {
	c.t.Helper()
	if ev, ok := c.plain().(engine.LegAnswered); !ok {
		c.t.Fatalf("not answered: %+v", ev)
	}
}

// A phone or a browser that registered by a connection is called by that very one,
// though its Contact leads nowhere, and calls by it.
func TestPhoneByConnection(t *testing.T) {
	t.Parallel()
	a := securetest.New(t)
	for _, network := range []string{"tcp", "tls", "ws", "wss"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			h := secured(t, a, func(e *directory.Entries) {
				e.Users = []directory.User{{ID: "w0", Name: "Alice", Username: "alice", Password: "secret-a"}}
			})
			p := newPhone(t, phone.Config{TLS: secure.Client{CA: a.CA}}) // listens on UDP only
			got, err := p.Register(phone.Registration{
				To: h.registrar(network), Username: "alice", Password: "secret-a", Expires: 300,
				Contacts: []string{"<sip:alice@df7jal23ls0d.invalid;transport=" + network + ">"},
			})
			must(t, err)
			if got.Status != 200 {
				t.Fatalf("registers: %+v", got)
			}
			leg := h.ring("w0")
			in, err := p.Accept(t.Context())
			must(t, err)
			if via := in.Header("Via")[0]; !strings.HasPrefix(via, "SIP/2.0/"+strings.ToUpper(network)+" "+h.server.Addr(network).String()) {
				t.Errorf("Via %s", via)
			}
			must(t, in.Answer())
			leg.answered()
			leg.Hangup(engine.CauseNormal)
			if _, err := in.WaitEnd(t.Context()); err != nil {
				t.Error(err)
			}
			leg.want(engine.LegEnded{Cause: engine.CauseNormal, Figures: media.Figures{Sent: 7}})

			out, err := p.Dial("sip:+4921112345@"+h.server.Addr(network).String()+";transport="+network, phone.CallOptions{Username: "alice", Password: "secret-a"})
			must(t, err)
			call := h.next()
			if call.Caller.ID != "w0" {
				t.Errorf("called by %+v", call.Arrival)
			}
			must(t, call.Answer())
			must(t, out.WaitAnswer(t.Context()))
			if _, ok := call.plain().(engine.LegConfirmed); !ok {
				t.Error("not confirmed")
			}
			call.Hangup(engine.CauseNormal)
			if _, err := out.WaitEnd(t.Context()); err != nil {
				t.Error(err)
			}
			call.want(engine.LegEnded{Cause: engine.CauseNormal, Figures: media.Figures{Sent: 7}})
		})
	}
}

// The calls of a trunk that must show a certificate are taken with that one only.
func TestTrunkMustShowCertificate(t *testing.T) {
	t.Parallel()
	a, strange := securetest.New(t), securetest.New(t)
	h := secured(t, a, func(e *directory.Entries) {
		e.Trunks = []directory.Trunk{{
			Name: "carrier", AllowFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, TLS: directory.TrunkTLS{ClientName: "sbc.carrier.test"},
		}}
	})
	client := func(a *securetest.Authority, names ...string) secure.Client {
		c := secure.Client{CA: h.tls.ClientCA}
		if len(names) > 0 {
			c.Cert, c.Key = a.Issue(names...)
		}
		return c
	}
	dial := func(network string, c secure.Client) *phone.Call {
		p := newPhone(t, phone.Config{TLS: c})
		out, err := p.Dial("sip:+4921112345@"+h.server.Addr(network).String()+";transport="+network, phone.CallOptions{})
		must(t, err)
		return out
	}
	out := dial("tls", client(a, "other.test", "sbc.carrier.test"))
	call := h.next()
	if call.Trunk != "carrier" {
		t.Errorf("came by %q", call.Trunk)
	}
	must(t, call.Answer())
	must(t, out.WaitAnswer(t.Context()))
	call.Hangup(engine.CauseNormal)

	for name, out := range map[string]*phone.Call{
		"no certificate":         dial("tls", client(a)),
		"certificate of another": dial("wss", client(a, "other.test")),
		"not by TLS":             dial("udp", client(a)),
	} {
		ended, err := out.WaitEnd(t.Context())
		if err != nil || ended.Status != 403 {
			t.Errorf("%s: %+v, %v", name, ended, err)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.refused) != 3 || !strings.Contains(h.refused[0].Reason, `must show a certificate in the name of "sbc.carrier.test"`) {
		t.Errorf("refused: %v", h.refused)
	}
	refused := dial("tls", client(strange, "sbc.carrier.test"))
	if ended, err := refused.WaitEnd(t.Context()); err != nil || ended.Status != 503 {
		t.Errorf("signed by a stranger: %+v, %v", ended, err)
	}
}

// A call to a trunk goes by TLS, with the certificate that the trunk asks for, to
// one whose name is right.
func TestTrunkByTLS(t *testing.T) {
	t.Parallel()
	theirs, ours := securetest.New(t), securetest.New(t)
	files := secure.Files{ClientCA: ours.CA}
	files.Cert, files.Key = theirs.Issue("sip.carrier.test")
	carrier := newPhone(t, phone.Config{Network: "tls", Files: files})
	trunk := directory.Trunk{Name: "out", Address: carrier.Addr().String() + ";transport=tls", TLS: directory.TrunkTLS{CA: theirs.CA, ServerName: "sip.carrier.test"}}
	trunk.TLS.Cert, trunk.TLS.Key = ours.Issue("callwright.test")
	wrong := trunk
	wrong.Name, wrong.Account, wrong.TLS.ServerName = "wrong", "other", "elsewhere.test"
	h := newHouse(t, func(_ *house, e *directory.Entries) {
		e.Accounts = []directory.Account{{ID: "other"}}
		e.Trunks = []directory.Trunk{trunk, wrong}
	})
	leg := h.dial(engine.DialRequest{Target: engine.Target{Address: directory.NumberAddress("+49301")}, From: directory.NumberAddress("+4921112345")})
	in, err := carrier.Accept(t.Context())
	must(t, err)
	if in.Network != "TLS" || len(in.Names) != 1 || in.Names[0] != "callwright.test" {
		t.Errorf("called by %s, known as %v", in.Network, in.Names)
	}
	must(t, in.Answer())
	leg.answered()
	must(t, in.WaitAnswer(t.Context()))
	in.Hangup() // over the connection that the call came by: the house has no TLS listener
	leg.want(engine.LegEnded{Cause: engine.CauseNormal, Remote: true, Figures: media.Figures{Sent: 7}})

	failed, err := h.server.Dial(engine.DialRequest{Account: "other", Target: engine.Target{Address: directory.NumberAddress("+49301")}, From: directory.NumberAddress("1")})
	must(t, err)
	ended, ok := listen(t, failed, engine.Arrival{}).plain().(engine.LegEnded)
	if !ok || ended.Cause != engine.CauseUnreachable && ended.Cause != engine.CauseOverload || !strings.Contains(ended.Text, "set tls.server_name of the trunk") {
		t.Errorf("ended %+v", ended)
	}
}

// A trunk of which a certificate is wanted, for which nobody is asked, is told of
// at the start.
func TestClientNameWithoutAuthority(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(_ *house, e *directory.Entries) {
		e.Trunks = []directory.Trunk{
			{Name: "plain", Address: "127.0.0.1:5060"},
			{Name: "named", Address: "127.0.0.1:5060", TLS: directory.TrunkTLS{ClientName: "sbc.carrier.test"}},
		}
	})
	must(t, h.server.Close())
	if log := h.log.String(); strings.Count(log, "level=ERROR") != 1 || !strings.Contains(log, `all calls of trunk \"named\" will be refused`) || !strings.Contains(log, "set sip.tls.client_ca") {
		t.Errorf("log:\n%s", log)
	}
}
