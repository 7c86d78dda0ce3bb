// SPDX-License-Identifier: MIT

package sip

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// sdpOfCarrier is what a carrier answers with.
const sdpOfCarrier = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n"

// carrier is the other side of a trunk, with a script: a UDP socket that says
// what it got, and answers what it is told to.
type carrier struct {
	t    *testing.T
	conn *net.UDPConn
	got  chan request
	// replies are the start lines of responses.
	replies chan string

	mu sync.Mutex
	// answer gives the responses to a request: "486 Busy Here", with headers in
	// lines of their own. None is silence.
	answer func(request) []string
	seen   []string
}

// request is one as it came over the wire.
type request struct {
	*sip.Request
	raw  string
	from netip.AddrPort
}

// newCarrier opens one that answers 200 to everything but ACK.
func newCarrier(t *testing.T, answer func(request) []string) *carrier {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	c := &carrier{t: t, conn: conn, got: make(chan request, 1000), replies: make(chan string, 1000), answer: answer}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.serve()
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	return c
}

func (c *carrier) addr() string { return c.conn.LocalAddr().String() }

func (c *carrier) serve() {
	buf := make([]byte, 65536)
	for {
		n, from, err := c.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		msg, err := sip.ParseMessage(buf[:n])
		req, ok := msg.(*sip.Request)
		if err != nil || !ok {
			line, _, _ := strings.Cut(string(buf[:n]), "\r\n")
			c.replies <- line
			continue
		}
		r := request{req, string(buf[:n]), from}
		c.mu.Lock()
		if !slices.Contains(c.seen, r.raw) { // a repetition is answered, not told
			c.seen = append(c.seen, r.raw)
			c.got <- r
		}
		answer := c.answer
		c.mu.Unlock()
		if req.IsAck() {
			continue
		}
		answers := []string{"200 OK"}
		if answer != nil && req.Method != sip.BYE && req.Method != sip.CANCEL {
			answers = answer(r)
		}
		for _, a := range answers {
			c.reply(r, a)
		}
	}
}

// reply answers a request: "200 OK\nExpires: 60".
func (c *carrier) reply(r request, status string) {
	head, more, _ := strings.Cut(status, "\n")
	var b strings.Builder
	b.WriteString("SIP/2.0 " + head + "\r\n")
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		for _, h := range r.GetHeaders(name) {
			b.WriteString(name + ": " + h.Value())
			if name == "To" && !r.To().Params.Has("tag") {
				b.WriteString(";tag=carrier")
			}
			b.WriteString("\r\n")
		}
	}
	for line := range strings.Lines(more) {
		b.WriteString(strings.TrimSpace(line) + "\r\n")
	}
	body := ""
	if r.Method == sip.INVITE && strings.HasPrefix(head, "2") {
		body = sdpOfCarrier
		b.WriteString("Contact: <sip:carrier@" + c.addr() + ">\r\nContent-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	if _, err := c.conn.WriteToUDPAddrPort([]byte(b.String()), r.from); err != nil && !errors.Is(err, net.ErrClosed) {
		c.t.Error(err)
	}
}

// next gives the next request of a method, and passes over others.
func (c *carrier) next(method string) request {
	c.t.Helper()
	for {
		select {
		case r := <-c.got:
			if string(r.Method) == method {
				return r
			}
		case <-time.After(patience):
			c.t.Fatalf("no %s came", method)
		}
	}
}

// quiet fails if a request of a method has come.
func (c *carrier) quiet(method string) {
	c.t.Helper()
	for {
		select {
		case r := <-c.got:
			if string(r.Method) == method {
				c.t.Errorf("unexpected:\n%s", r.raw)
			}
		default:
			return
		}
	}
}

// says is a carrier's answer to INVITE.
func says(status ...string) func(request) []string {
	return func(r request) []string {
		if r.Method != sip.INVITE {
			return []string{"200 OK"}
		}
		return status
	}
}

// withCarriers has the house reach carriers as trunks a, b, … in that order.
func withCarriers(t *testing.T, change func(*directory.Entries), carriers ...*carrier) *house {
	t.Helper()
	return newHouse(t, func(_ *house, e *directory.Entries) {
		e.Trunks = nil
		for i, c := range carriers {
			e.Trunks = append(e.Trunks, directory.Trunk{Name: string(rune('a' + i)), Address: c.addr(), Priority: i})
		}
		if change != nil {
			change(e)
		}
	})
}

// number is a target outside.
func number(n string) engine.DialRequest {
	return engine.DialRequest{Target: engine.Target{Address: directory.NumberAddress(n)}, From: directory.NumberAddress("+4921112345")}
}
