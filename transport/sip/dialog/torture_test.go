// SPDX-License-Identifier: MIT

package dialog

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/intake"
)

const (
	accepted = "200 INVITE" // it has become a call, which is hung up then
	silence  = ""           // a response that is nobody's or cannot be read: there is nobody to tell
	hangsUp  = "closed"     // the connection: nobody knows where the next message begins
	waits    = "waits"      // for the rest, until the time for a message is over
)

// tortures are the 49 messages of RFC 4475, with the section that says what to do
// with each, and what comes back: status and the method of CSeq. The last one is
// no message of the RFC.
var tortures = []struct {
	name, section string
	udp           string
	tcp           string // if it differs
}{
	{"wsinv", "3.1.1.1", "481 INVITE", ""}, // well-formed; its To has a tag that is not ours
	{"intmeth", "3.1.1.2", "501 !interesting-Method0123456789_*+`.%indeed'~", ""},
	{"esc01", "3.1.1.3", accepted, ""},
	{"escnull", "3.1.1.4", "200 REGISTER", ""},
	{"esc02", "3.1.1.5", "501 RE%47IST%45R", ""},
	{"lwsdisp", "3.1.1.6", "200 OPTIONS", ""},
	{"longreq", "3.1.1.7", accepted, ""},
	{"dblreq", "3.1.1.8", "200 REGISTER", "200 REGISTER, 400 INVITE"}, // two messages; the INVITE has no Contact
	{"semiuri", "3.1.1.9", "200 OPTIONS", ""},
	{"transports", "3.1.1.10", "200 OPTIONS", ""},
	{"mpart01", "3.1.1.11", "405 MESSAGE", ""},
	{"unreason", "3.1.1.12", silence, ""},
	{"noreason", "3.1.1.13", silence, ""},
	{"badinv01", "3.1.2.1", "400 INVITE", ""},
	{"clerr", "3.1.2.2", "400 INVITE", waits}, // the rest never comes
	{"ncl", "3.1.2.3", "400 INVITE", "400 INVITE, " + hangsUp},
	{"scalar02", "3.1.2.4", "400 REGISTER", ""},
	{"scalarlg", "3.1.2.5", silence, ""},
	{"quotbal", "3.1.2.6", "400 INVITE", ""},
	{"ltgtruri", "3.1.2.7", "400 INVITE", ""},
	{"lwsruri", "3.1.2.8", "400 INVITE", ""},
	{"lwsstart", "3.1.2.9", "400 INVITE", ""},
	{"trws", "3.1.2.10", "400 OPTIONS", ""},
	{"escruri", "3.1.2.11", "400 INVITE", ""},
	{"baddate", "3.1.2.12", accepted, ""}, // nobody looks at Date
	{"regbadct", "3.1.2.13", "400 REGISTER", ""},
	{"badaspec", "3.1.2.14", "400 OPTIONS", ""},
	{"baddn", "3.1.2.15", "400 OPTIONS", waits}, // the file has no blank line behind the header
	{"badvers", "3.1.2.16", "505 OPTIONS", ""},
	{"mismatch01", "3.1.2.17", "400 INVITE", ""},
	{"mismatch02", "3.1.2.18", "400 INVITE", ""},
	{"bigcode", "3.1.2.19", silence, ""},
	{"badbranch", "3.2.1", "400 OPTIONS", ""},
	{"insuf", "3.3.1", "400 INVITE", ""},
	{"unkscm", "3.3.2", "416 OPTIONS", ""},
	{"novelsc", "3.3.3", "416 OPTIONS", ""},
	{"unksm2", "3.3.4", "400 REGISTER", ""},
	{"bext01", "3.3.5", "420 OPTIONS", ""},
	{"invut", "3.3.6", "415 INVITE", ""},
	{"regaut01", "3.3.7", "401 REGISTER", ""},
	{"multi01", "3.3.8", "400 INVITE", ""},
	{"mcl01", "3.3.9", "400 OPTIONS", "400 OPTIONS, " + hangsUp},
	{"bcast", "3.3.10", silence, ""},
	{"zeromf", "3.3.11", "483 OPTIONS", ""},
	{"cparam01", "3.3.12", "200 REGISTER", ""},
	{"cparam02", "3.3.13", "200 REGISTER", ""},
	{"regescrt", "3.3.14", "200 REGISTER", ""},
	{"sdp01", "3.3.15", "406 INVITE", ""},
	{"inv2543", "3.4.1", accepted, "400 INVITE, " + hangsUp}, // without Content-Length
	{"test", "none", silence, hangsUp},
}

// TestTorture sends each message by UDP and by TCP to an Endpoint, which must do what
// the table says, go on, and have no dialog left.
func TestTorture(t *testing.T) {
	t.Parallel()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/emiago/sipgo").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "sip/testdata/torture/*/*.dat"))
	if err != nil || len(files) != len(tortures) {
		t.Fatalf("%d messages in %s, want %d: %v", len(files), dir, len(tortures), err)
	}
	data := map[string][]byte{}
	for _, name := range files {
		if data[strings.TrimSuffix(filepath.Base(name), ".dat")], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	// In the file the second body has a blank too many, so that its end is lost.
	data["dblreq"] = bytes.Replace(data["dblreq"], []byte("\nm =video"), []byte("\nm=video"), 1)
	for _, tc := range tortures {
		t.Run(tc.name+"/udp", func(t *testing.T) {
			t.Parallel()
			torment(t, "udp", data[tc.name], tc.udp)
		})
		t.Run(tc.name+"/tcp", func(t *testing.T) {
			t.Parallel()
			torment(t, "tcp", data[tc.name], cmp.Or(tc.tcp, tc.udp))
		})
	}
}

// victim is an Endpoint that takes every call and every registration, unless
// there are credentials that it does not know.
func victim(t *testing.T) *Endpoint {
	return open(t, Config{
		Challenge: func(r Request) *Response {
			if a := r.Header("Authorization"); len(a) > 0 && !strings.HasPrefix(a[0], "Digest ") {
				return &Response{Status: 401, Phrase: "Unauthorized"}
			}
			return nil
		},
		Register: func(Request) Response { return Response{Status: 200, Phrase: "OK"} },
		Incoming: func(d *Dialog, _ Invitation) Handler {
			if err := d.Answer([]byte("answer")); err != nil {
				t.Error(err)
			}
			return Handler{Event: func(Event) {}}
		},
	})
}

// torment sends a message and says what comes back.
func torment(t *testing.T, network string, data []byte, want string) {
	t.Helper()
	e := victim(t)
	conn, err := net.Dial(network, e.Addr(network).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	p := &tormentor{t: t, conn: conn, network: network, seen: map[string]bool{}}
	p.write(string(data))
	switch {
	case want == waits:
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		p.until("")
	case strings.HasSuffix(want, hangsUp):
		p.until("")
	default:
		p.probe("1")
		e.settle() // what has a lane of its own
		p.probe("2")
		p.probe("3") // behind the BYE of a call
	}
	if want == waits {
		want = hangsUp
	}
	slices.Sort(p.got)
	if got := strings.Join(p.got, ", "); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	e.settle()
	e.dialogs.mu.Lock()
	defer e.dialogs.mu.Unlock()
	if n := len(e.dialogs.tags) + len(e.dialogs.invites); n != 0 {
		t.Errorf("%d dialogs are left", n)
	}
}

// settle waits until there is no work.
func (e *Endpoint) settle() {
	e.lanes.mu.Lock()
	defer e.lanes.mu.Unlock()
	for len(e.lanes.busy) > 0 {
		e.lanes.idle.Wait()
	}
}

// tormentor is a peer that reads answers as text, since some are to what cannot be
// parsed.
type tormentor struct {
	t       *testing.T
	conn    net.Conn
	network string
	got     []string
	seen    map[string]bool
	stream  []byte
}

func (p *tormentor) write(s string) {
	p.t.Helper()
	if _, err := p.conn.Write([]byte(s)); err != nil {
		p.t.Fatal(err)
	}
}

// probe asks for a sign of life, which comes behind all that was sent before.
func (p *tormentor) probe(id string) {
	p.t.Helper()
	p.write("OPTIONS sip:probe@test SIP/2.0\r\nVia: SIP/2.0/" + strings.ToUpper(p.network) + " probe.invalid;branch=z9hG4bKprobe" + id +
		";rport\r\nFrom: <sip:probe@test>;tag=probe\r\nTo: <sip:probe@test>\r\nCall-ID: probe" + id + "\r\nCSeq: 1 OPTIONS\r\n" +
		"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
	p.until("probe" + id)
}

// until reads answers up to that with a Call-ID, or up to the end.
func (p *tormentor) until(callID string) {
	p.t.Helper()
	for {
		answer := p.read()
		switch {
		case answer == "" && callID == "":
			p.got = append(p.got, hangsUp)
			return
		case answer == "":
			p.t.Fatal("the connection was closed")
		case callID != "" && text(answer, "Call-ID") == callID:
			return
		case !p.seen[answer]:
			p.seen[answer] = true
			p.note(answer)
		}
	}
}

// read gives the next answer; nothing at the end.
func (p *tormentor) read() string {
	p.t.Helper()
	if err := p.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		p.t.Fatal(err)
	}
	buf := make([]byte, 65536)
	for {
		if n, _ := intake.Length(p.stream); n > 0 && n <= len(p.stream) {
			answer := string(p.stream[:n])
			p.stream = p.stream[n:]
			return answer
		}
		n, err := p.conn.Read(buf)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
			return ""
		case err != nil:
			p.t.Fatal(err)
		}
		p.stream = bytes.TrimLeft(append(p.stream, buf[:n]...), "\r\n") // answers to pings
	}
}

// note keeps an answer. A call that was taken is acknowledged and hung up.
func (p *tormentor) note(answer string) {
	p.t.Helper()
	status := strings.Fields(answer)[1]
	_, method, _ := strings.Cut(text(answer, "CSeq"), " ")
	if status == "100" || method == "BYE" {
		return
	}
	if !strings.Contains(text(answer, "To")+"tag=", ";tag=") && text(answer, "To") != "" {
		p.t.Errorf("an answer without a tag:\n%s", answer)
	}
	p.got = append(p.got, status+" "+strings.TrimSpace(method))
	if status+" "+method != accepted {
		return
	}
	msg, err := sip.ParseMessage([]byte(answer))
	res, ok := msg.(*sip.Response)
	if !ok {
		p.t.Fatal(err)
	}
	for i, m := range []string{"ACK", "BYE"} {
		p.write(fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/%s peer.invalid;branch=z9hG4bKin%d;rport\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\n"+
			"CSeq: %d %s\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n", m, &res.Contact().Address, strings.ToUpper(p.network), i,
			res.From().Value(), res.To().Value(), res.CallID().Value(), int(res.CSeq().SeqNo)+i, m))
	}
}

// text gives the first header of a name.
func text(msg, name string) string {
	_, rest, _ := strings.Cut(msg, "\r\n"+name+": ")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}
