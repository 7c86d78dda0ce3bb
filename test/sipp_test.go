// SPDX-License-Identifier: MIT

package test

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template"

	"github.com/callwright/callwright/internal/peer"
)

// phone is what a run of sipp is told.
type phone struct {
	scenario string            // the file in sipp/, without .xml
	host     string            // the last number of its address; empty means the carrier's
	values   map[string]string // for the scenario: status, winner; t1, talk and patience in ms
	number   string            // what a caller dials; a target has none
	via      string            // the last number of the address that it calls; empty means the server's
	tcp      bool
	calls    int // how many it makes, 100 in a second, or takes; 0 means 1
}

// defaults are the values of scenarios that a test does not give.
var defaults = map[string]string{
	"t1": "500", "talk": "400", "patience": "300", // ms
	"branch": "[branch]", "formats": "0 8", "direction": "", "late": "", // of an INVITE
	"status": "200", "headers": "", // of any message
	"parties": "[last_From:]\n[last_To:]", "routes": "[routes]", "tag": "[pid]s[call_number]",
	"via": "[last_Via:]", "answered": "[last_CSeq:]",
	"cseq": "1", "type": "", "body": "", "want": "SIP/2.0", // what is asked in a call, and how it is answered
}

// running is a sipp that runs.
type running struct {
	phone
	dir string
	cmd *exec.Cmd
}

// at is where a phone is: a caller has a port of its own, so that somebody who is
// called can be at the same address.
func (h *house) at(p phone) netip.AddrPort {
	last := cmp.Or(p.host, hostCarrier)
	ip, port := netip.MustParseAddr(h.host(last)), uint16(5060)
	if h.six != 0 {
		n, _ := strconv.Atoi(last)
		ip, port = netip.IPv6Loopback(), h.six+uint16(n)
	}
	if p.number != "" {
		port += 100
	}
	return netip.AddrPortFrom(ip, port)
}

// call runs a caller to its end, and wants it to end well.
func (h *house) call(t *testing.T, p phone) {
	t.Helper()
	h.start(t, p).wait(t)
}

// target starts a phone that waits for a call, and wants it to end well before
// the test does.
func (h *house) target(t *testing.T, p phone) *running {
	t.Helper()
	r := h.start(t, p)
	at := h.at(p)
	network := "udp"
	if p.tcp {
		network = "tcp"
	}
	if at.Addr().Is6() {
		network += "6"
	}
	eventually(t, func() string {
		if !slices.Contains(sockets(t, network), at) {
			return fmt.Sprintf("the target does not listen on %s: %s%s", at, r.read("errors"), r.read("screen"))
		}
		return ""
	})
	return r
}

// start runs sipp in a folder of its own.
func (h *house) start(t *testing.T, p phone) *running {
	t.Helper()
	r := &running{phone: p, dir: t.TempDir()}
	values := maps.Clone(defaults)
	maps.Copy(values, p.values)
	text, err := scenario(p.scenario, values)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "scenario.xml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	at := h.at(p)
	args := []string{
		"-sf", "scenario.xml", "-i", at.Addr().String(), "-p", strconv.Itoa(int(at.Port())), "-mp", strconv.Itoa(int(at.Port()) + 1000),
		"-m", strconv.Itoa(max(p.calls, 1)), "-nostdin", "-timeout", "120", "-timeout_error", "-max_invite_retrans", "10",
		"-trace_err", "-error_file", "errors", "-trace_msg", "-message_file", "messages",
	}
	if p.calls > 1 {
		args = append(args, "-r", "100")
	}
	if p.tcp {
		args = append(args, "-t", "t1")
	}
	if p.number != "" {
		args = append([]string{h.at(phone{host: cmp.Or(p.via, hostServer)}).String(), "-s", p.number}, args...)
	}
	r.cmd = peer.Command(t, "sipp", args...)
	r.cmd.Dir = r.dir
	screen, err := os.Create(filepath.Join(r.dir, "screen"))
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	r.cmd.Stdout, r.cmd.Stderr = screen, screen
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}

// successful finds the count in the last screen that sipp prints. Its exit
// status alone proves nothing: it is 1 for a missing file as for a failed call.
var successful = regexp.MustCompile(`Successful call\s*\|\s*\d+\s*\|\s*(\d+)`)

// wait waits for the end and wants every call to have gone as the scenario says.
func (r *running) wait(t *testing.T) {
	t.Helper()
	err := r.cmd.Wait()
	good := "none"
	if counts := successful.FindAllStringSubmatch(r.read("screen"), -1); counts != nil {
		good = counts[len(counts)-1][1]
	}
	if want := strconv.Itoa(max(r.calls, 1)); err != nil || good != want {
		t.Errorf("sipp %s: %v; %s calls as they should be, want %s\n%s\n%s", r.scenario, err, good, want, r.read("errors"), r.read("messages"))
	}
}

// read gives a file that sipp wrote; empty when it did not.
func (r *running) read(name string) string {
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		return ""
	}
	return string(text)
}

// scenario fills in a scenario.
func scenario(name string, values map[string]string) (string, error) {
	set := func(values map[string]string, pairs ...string) map[string]string {
		values = maps.Clone(values)
		for pair := range slices.Chunk(pairs, 2) {
			values[pair[0]] = pair[1]
		}
		return values
	}
	parsed, err := template.New(name+".xml").Option("missingkey=error").
		Funcs(template.FuncMap{"set": set}).
		ParseFiles("sipp/parts.xml", filepath.Join("sipp", name+".xml"))
	if err != nil {
		return "", err
	}
	var text strings.Builder
	err = parsed.Execute(&text, values)
	return text.String(), err
}
