// SPDX-License-Identifier: MIT

package dialog

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A stranger gets a 403, is told of, and leaves nothing behind. What
// belongs to a call of ours is let through from anywhere.
func TestStrangers(t *testing.T) {
	t.Parallel()
	var told atomic.Pointer[Request]
	var friend atomic.Pointer[netip.AddrPort]
	c := newCalls(t)
	e := open(t, Config{
		Incoming: c.incoming,
		Refused: func(r Request, no Response, missed int) {
			if told.Swap(&r) != nil || no.Status != 403 || missed != 0 {
				t.Errorf("told again, or of %v and %d others", no, missed)
			}
		},
		Admit: func(source netip.AddrPort) bool { return friend.Load() != nil && source == *friend.Load() },
	})
	w, stranger := newWire(t, e.Addr("udp")), newWire(t, e.Addr("udp"))
	at := w.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	friend.Store(&at)

	stranger.send(invite("stranger"))
	refused := stranger.expect("403 INVITE")
	if r := told.Load(); r == nil || r.Method != "INVITE" || r.Source.String() != stranger.addr() || r.Hop != r.Source {
		t.Errorf("told of %v", r)
	}
	stranger.send(inside("ACK", "stranger", 1, refused))
	stranger.send("garbage\n\n")
	stranger.silent()

	w.send(invite("friend"))
	call := c.next()
	_ = call.Answer(nil)
	ok := w.expect("200 INVITE")
	w.send(inside("ACK", "friend", 1, ok))
	call.want("confirmed")
	stranger.send(inside("BYE", "friend", 2, ok)) // another host of the friend's
	stranger.expect("200 BYE")
	call.want("confirmed", "ended 0 remote")

	r := newRecord(t) // we may call whom we want, and hear what they say
	if _, err := e.Call(Call{To: "sip:1@" + stranger.addr(), From: Party{URI: "sip:2@test"}}, r.handler()); err != nil {
		t.Fatal(err)
	}
	inv := stranger.expect("INVITE")
	stranger.send(response(inv, "486 Busy Here", "b"))
	r.want("ended 486 remote")
}

// On TCP the same holds, request by request.
func TestStrangersTCP(t *testing.T) {
	t.Parallel()
	e := open(t, Config{Admit: func(netip.AddrPort) bool { return false }})
	conn, err := net.Dial("tcp", e.Addr("tcp").String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	w := newWire(t, e.Addr("udp"))
	if _, err := conn.Write(bytes.ReplaceAll(w.bytes(invite("tcp")), []byte("SIP/2.0/UDP"), []byte("SIP/2.0/TCP"))); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := conn.Read(buf)
	if err != nil || !strings.HasPrefix(string(buf[:n]), "SIP/2.0 403 ") {
		t.Errorf("%q, %v", buf[:n], err)
	}
}

// The log and the answers are limited, and nothing is forgotten.
func TestStrangersLimited(t *testing.T) {
	t.Parallel()
	s := newStrangers()
	now := time.Unix(1, 0)
	answers, logs := 0, 0
	for range 100 {
		answer, log, _ := s.seen(netip.Addr{}, false, now)
		if answer {
			answers++
		}
		if log {
			logs++
		}
	}
	if answers != strangersAnswered || logs != strangersLogged {
		t.Errorf("%d answers and %d lines in one second, want %d and %d", answers, logs, strangersAnswered, strangersLogged)
	}
	for range strangersRead {
		if s.flood(now) {
			t.Fatal("a flood before its time")
		}
	}
	if !s.flood(now) || s.flood(now.Add(time.Second)) {
		t.Error("a flood is not told from the second after")
	}
	if _, log, missed := s.seen(netip.Addr{}, false, now.Add(time.Second)); !log || missed != 101-strangersLogged {
		t.Errorf("a second later: logged %v with %d missed", log, missed)
	}
}

// Garbage from a friend stops nothing.
func TestGarbage(t *testing.T) {
	t.Parallel()
	e := open(t, Config{})
	w := newWire(t, e.Addr("udp"))
	for i, garbage := range []string{
		"", "\x00\x00", "\r\n\r\n", "INVITE", "INVITE sip:a SIP/2.0\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n",
		"SIP/2.0 200 OK\r\nCall-ID: x\r\nVia: x\r\n\r\n", strings.Repeat("A", 60000),
		"INVITE sip:a SIP/2.0\r\nCall-ID: x\r\n\r\n",
		"INVITE sip:a SIP/2.0\r\nCall-ID: x\r\nVia: SIP/2.0/UDP 127.0.0.1\r\n\r\n",
	} {
		if _, err := w.conn.WriteToUDPAddrPort([]byte(garbage), w.to); err != nil {
			t.Fatal(err)
		}
		w.send(strings.ReplaceAll(invite(fmt.Sprint("g", i)), "INVITE", "OPTIONS"))
		w.expect("200 OPTIONS", "400 INVITE")
	}
}

// Where a request came from is what a proxy of ours says, and else what the
// socket says.
func TestSourceBehindProxies(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		proxies []string
		below   string // the Vias below the topmost
		want    string // the address; empty is the socket's own
	}{
		"no proxy":                    {nil, "SIP/2.0/UDP 192.0.2.7:5066;branch=z9hG4bK1;received=192.0.2.8;rport=6000\n", ""},
		"received and rport":          {[]string{"127.0.0.0/8"}, "SIP/2.0/UDP 10.0.0.1:5066;branch=z9hG4bK1;received=192.0.2.8;rport=6000\n", "192.0.2.8:6000"},
		"received alone":              {[]string{"127.0.0.0/8"}, "SIP/2.0/TCP phone.invalid:5066;branch=z9hG4bK1;received=192.0.2.8\n", "192.0.2.8:5066"},
		"what stands there":           {[]string{"127.0.0.0/8"}, "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\n", "192.0.2.7:0"},
		"IPv6":                        {[]string{"127.0.0.0/8"}, "SIP/2.0/TLS [2001:db8::1]:5066;branch=z9hG4bK1;received=[2001:db8::2]\n", "[2001:db8::2]:5066"},
		"a name proves nothing":       {[]string{"127.0.0.0/8"}, "SIP/2.0/UDP phone.invalid;branch=z9hG4bK1\n", ""},
		"nobody below":                {[]string{"127.0.0.0/8"}, "", ""},
		"a proxy behind the proxy":    {[]string{"127.0.0.0/8", "192.0.2.0/24"}, "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\nVia: SIP/2.0/UDP 10.1.1.1;branch=z9hG4bK2\n", "10.1.1.1:0"},
		"a stranger tells of another": {[]string{"127.0.0.0/8"}, "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\nVia: SIP/2.0/UDP 10.1.1.1;branch=z9hG4bK2\n", "192.0.2.7:0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var proxies []netip.Prefix
			for _, p := range tc.proxies {
				proxies = append(proxies, netip.MustParsePrefix(p))
			}
			got := make(chan Request, 1)
			e := open(t, Config{Proxies: proxies, Incoming: func(_ *Dialog, in Invitation) Handler {
				got <- in.Request
				return Handler{}
			}})
			w := newWire(t, e.Addr("udp"))
			text := invite("behind")
			if tc.below != "" {
				i := strings.Index(text, "From:")
				text = text[:i] + "Via: " + tc.below + text[i:]
			}
			w.send(text)
			r := <-got
			want := cmp.Or(tc.want, w.addr())
			if r.Source.String() != want || r.Hop.String() != w.addr() {
				t.Errorf("source %s by hop %s, want %s by %s", r.Source, r.Hop, want, w.addr())
			}
		})
	}
}

// A flood of one stranger is dropped without a word; others are heard, and so
// are friends. Scanners never get an answer.
func TestFloodAndScanners(t *testing.T) {
	t.Parallel()
	var friend atomic.Pointer[netip.AddrPort]
	e := open(t, Config{Admit: func(source netip.AddrPort) bool { return friend.Load() != nil && source == *friend.Load() }})
	scanner := newWire(t, e.Addr("udp"))
	scanner.send(strings.Replace(invite("scan"), "From:", "User-Agent: friendly-scanner\n\tFrom:", 1))
	scanner.silent()

	loud, w := newWire(t, e.Addr("udp")), newWire(t, e.Addr("udp"))
	at := w.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	friend.Store(&at)
	answered, began := 0, time.Now()
	for i := range 100 {
		loud.send(invite(fmt.Sprint("loud", i)))
	}
	w.handled("friend") // all of the flood came before, and its answers too
	for range loud.came() {
		answered++
	}
	if most := strangersAnswered * int(2+time.Since(began)/time.Second); answered == 0 || answered > most {
		t.Errorf("%d of 100 calls of a stranger were answered, want up to %d in a second", answered, strangersAnswered)
	}
	source := loud.conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
	for later := time.Now().Add(patience); e.shield.Take(source, later); {
	}
	loud.send(invite("later"))
	loud.silent()
	w.handled("friend-again")
}

// Strangers may talk as much as they like: in a full room they make place for
// those who are let in, and those stay.
func TestStrangersMakePlace(t *testing.T) {
	t.Parallel()
	friend := func(a netip.AddrPort) bool { return strings.HasPrefix(a.Addr().String(), "127.0.1.") }
	e := open(t, Config{Admit: friend, Connections: 4})
	w := newWire(t, e.Addr("udp"))
	ask := func(host string) (net.Conn, string) {
		t.Helper()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}}
		conn, err := d.Dial("tcp", e.Addr("tcp").String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(bytes.ReplaceAll(w.bytes(invite(host)), []byte("SIP/2.0/UDP"), []byte("SIP/2.0/TCP"))); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 1000)
		n, _ := conn.Read(answer)
		line, _, _ := strings.Cut(string(answer[:n]), "\r\n")
		return conn, line
	}
	for !e.strangers.flood(time.Now()) { // by UDP, which is nothing to others
	}
	first, got := ask("127.0.0.2")
	if !strings.Contains(got, "403") {
		t.Fatalf("a stranger got %q", got)
	}
	for i := range 3 {
		ask(fmt.Sprintf("127.0.0.%d", i+3))
	}
	for i := range 4 {
		if _, got := ask(fmt.Sprintf("127.0.1.%d", i+1)); !strings.Contains(got, "480") {
			t.Errorf("friend %d got %q in a room full of strangers", i, got)
		}
	}
	if n, err := first.Read(make([]byte, 1000)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the stranger who came first read %d bytes, %v; want the connection closed", n, err)
	}
	if _, got := ask("127.0.0.9"); got != "" {
		t.Errorf("in a room full of friends a stranger got %q", got)
	}
}

// Who asks whether we are there is told when nothing new should come; calls are
// for others to refuse.
func TestDrain(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	e := open(t, Config{Incoming: c.incoming})
	w := newWire(t, e.Addr("udp"))
	w.handled("before")
	e.Drain()
	w.send(strings.NewReplacer("INVITE", "OPTIONS").Replace(invite("ask")))
	if res := w.expect("503 OPTIONS"); len(res.GetHeaders("Retry-After")) == 0 {
		t.Error("there is no Retry-After")
	}
	w.send(invite("call"))
	call := c.next()
	call.Hangup(503, "Service Unavailable")
	w.send(inside("ACK", "call", 1, w.expect("503 INVITE", "100 INVITE")))
}

// lines counts what is written to a log.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, string(p))
	return len(p), nil
}

// What nobody can understand is said in the log, a few times in a second, without
// what stands in it; and each gets its answer.
func TestBadMessagesAreTold(t *testing.T) {
	t.Parallel()
	var log lines
	e := open(t, Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
	w := newWire(t, e.Addr("udp"))
	began := time.Now()
	const many = 100
	for i := range many {
		w.send(strings.Replace(invite(fmt.Sprint("bad", i)), "test SIP/2.0\n", "test?Route=x SIP/2.0\nAuthorization: secret\n", 1))
		w.expect("400 INVITE")
	}
	most := strangersLogged * int(2+time.Since(began)/time.Second)
	log.mu.Lock()
	defer log.mu.Unlock()
	if n := len(log.all); n == 0 || n > most {
		t.Errorf("%d bad messages made %d lines in the log, want some and at most %d", many, n, most)
	}
	if line := strings.Join(log.all[:1], ""); !strings.Contains(line, "Headers Not Allowed In This URI") || !strings.Contains(line, "source="+w.addr()) || strings.Contains(line, "secret") {
		t.Errorf("the log says: %s", line)
	}
}

// One stranger who comes again and again does not have all lines in the log: those
// of others are seen.
func TestStrangersAreToldApart(t *testing.T) {
	t.Parallel()
	s, now := newStrangers(), time.Unix(1_000_000, 0)
	loud, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	lines := 0
	for second := range 30 {
		for range 100 {
			if _, tell, _ := s.seen(loud, false, now.Add(time.Duration(second)*time.Second)); tell {
				lines++
			}
		}
	}
	if lines != strangersLoggedOfOne {
		t.Errorf("%d lines of one source in a minute, want %d", lines, strangersLoggedOfOne)
	}
	// The last line was the fifth of the fourth second.
	if _, tell, missed := s.seen(other, false, now.Add(29*time.Second)); !tell || missed != 95+26*100 {
		t.Errorf("another one is told of: %t, after %d that were not", tell, missed)
	}
	if _, tell, _ := s.seen(loud, false, now.Add(time.Minute)); !tell {
		t.Error("in the next minute nothing is told of the first")
	}
}

// By TCP a stranger who sends more than its share loses the connection, and a
// scanner does so at once.
func TestFloodByTCP(t *testing.T) {
	t.Parallel()
	e := open(t, Config{Admit: func(netip.AddrPort) bool { return false }})
	w := newWire(t, e.Addr("udp"))
	source := netip.MustParseAddr("127.0.0.1")
	for name, send := range map[string]func() string{
		"scanner": func() string {
			return strings.Replace(invite("scan"), "From:", "User-Agent: friendly-scanner\n\tFrom:", 1)
		},
		"flood": func() string {
			for later := time.Now().Add(patience); e.shield.Take(source, later); {
			}
			return invite("flood")
		},
	} {
		conn, err := net.Dial("tcp", e.Addr("tcp").String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(bytes.ReplaceAll(w.bytes(send()), []byte("SIP/2.0/UDP"), []byte("SIP/2.0/TCP"))); err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Read(make([]byte, 100)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: read %d bytes, %v, want the connection closed without a word", name, n, err)
		}
	}
}

// An INVITE that cannot be parsed is told of like any other that is refused.
func TestMisunderstoodCallsAreToldOf(t *testing.T) {
	t.Parallel()
	told := make(chan Request, 1)
	e := open(t, Config{Refused: func(r Request, no Response, _ int) {
		if no.Status != 416 || !strings.HasPrefix(no.Reason, "it is not understood: ") {
			t.Errorf("told of %+v", no)
		}
		told <- r
	}})
	w := newWire(t, e.Addr("udp"))
	w.send(strings.Replace(invite("odd"), "sip:100@callwright.test", "gopher:100@callwright.test", 1))
	w.expect("416 INVITE")
	r := <-told
	if r.Method != "INVITE" || r.URI != "gopher:100@callwright.test" || r.From.URI == "" || r.Source.String() != w.addr() || r.Header("X") != nil {
		t.Errorf("told of %+v", r)
	}
}

// Strangers behind a proxy of ours have a share each, and the proxy has none.
func TestFloodBehindAProxy(t *testing.T) {
	t.Parallel()
	e := open(t, Config{
		Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Admit: func(netip.AddrPort) bool { return false },
	})
	w := newWire(t, e.Addr("udp"))
	ask := func(id, from string) {
		text := strings.Replace(invite(id), "INVITE", "OPTIONS", 2)
		i := strings.Index(text, "From:")
		w.send(text[:i] + "Via: SIP/2.0/UDP " + from + ";branch=z9hG4bK1\n\t" + text[i:])
	}
	loud := netip.MustParseAddr("192.0.2.7")
	for later := time.Now().Add(patience); e.shield.Take(loud, later); {
	}
	ask("loud", loud.String())
	ask("quiet", "192.0.2.8")
	w.expect("200 OPTIONS")
	w.silent()
}
