// SPDX-License-Identifier: MIT

package test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/internal/peer"
)

// program builds callwright once, with the race detector, and gives its path.
var program = sync.OnceValues(func() (string, error) {
	name := filepath.Join(binaries, "callwright")
	out, err := exec.Command("go", "build", "-race", "-o", name, "../cmd/callwright").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build callwright: %w\n%s", err, out)
	}
	return name, nil
})

// binaries is where it is built.
var binaries string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "callwright-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binaries = dir
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

// signingKey makes the key that servers sign with, once: to make one takes longer
// than most tests.
var signingKey = sync.OnceValue(func() []byte {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // there is no randomness
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		panic(err) // it was made just now
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
})

// house is a running server with an app, and a network of 127.x.y.0/24 that is
// its own.
type house struct {
	app     *app
	network string // "127.x.y."
	six     uint16 // if set, SIP and sound are at ::1, and each party's port is this and its number
	dir     string
	server  *exec.Cmd
	ended   chan error
	log     bytes.Buffer // read it only after the end
	reasons []string     // what it must hold then
}

// networks counts the networks that were given out.
var networks atomic.Int32

// The last numbers of the addresses in a network.
const (
	hostServer   = "10"
	hostCarrier  = "20"
	hostSpare    = "21"
	hostAlice    = "31"
	hostBob      = "32"
	hostProxy    = "50"
	hostStranger = "66"
)

// The RTP ports of the server: enough for the hundred calls of some tests, with
// two legs each, to be there at the same time, as they are on a slow machine.
const portFirst, portLast = 20000, 20499

const configuration = `
http: {listen: "NETWORK.10:8080", public_url: "http://NETWORK.10:8080"}
sip: {listen: ["udp://NETWORK.10:5060", "tcp://NETWORK.10:5060"]}
media: {listen: "NETWORK.10", ports: "20000-20499"}
database: "sqlite:DIR/callwright.db"
data_dir: "DIR"
admin: {token: "of the tests"}
apps:
  - {key: shop, dialect: sipgate, incoming_url: "APP/"}
users:
  - {id: w0, name: Alice, contact: "sip:alice@NETWORK.31:5060"}
  - {id: w1, name: Bob, contact: "sip:bob@NETWORK.32:5060"}
numbers:
  - {number: "+4921100", app: shop, users: [w0, w1]}
trunks:
  - {name: carrier, address: "NETWORK.20:5060;transport=udp", username: house, password: "s3cret", allow_from: ["NETWORK.20/32"]}
`

// newHouse starts an app with a script, and a server, and ends both, and looks
// at how the server ended, with the test.
func newHouse(t *testing.T, script map[string]string) *house {
	t.Helper()
	return newHouseOf(t, configuration, script)
}

// newHouseOf does so with another configuration. Peers that must be there first are
// started by before.
func newHouseOf(t *testing.T, configuration string, script map[string]string, before ...func(*house)) *house {
	t.Helper()
	peer.Need(t, "sipp", "sip-tester")
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	pid := os.Getpid()
	h := &house{
		network: fmt.Sprintf("127.%d.%d.", 100+pid%100, (pid/100+int(networks.Add(1)))%256),
		dir:     t.TempDir(), ended: make(chan error, 1),
	}
	h.app = startApp(t, h.host("1"), script)
	certify(t, h.dir, h.host(hostServer))
	if err := os.WriteFile(filepath.Join(h.dir, "webhook-key.pem"), signingKey(), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(h.dir, "callwright.yaml")
	h.six = six(configuration)
	text := strings.NewReplacer("NETWORK.", h.network, "DIR", h.dir, "APP", h.app.url,
		"[::1]:SERVER", h.at(phone{host: hostServer}).String(), "[::1]:CARRIER", h.at(phone{}).String()).Replace(configuration)
	text += "drain: 0s\n" // a test that failed has calls that live
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, start := range before {
		start(h)
	}
	h.server = peer.Command(t, path, "serve", "--config", file)
	h.server.Dir = h.dir
	// The server takes variables of this prefix for settings of its own.
	h.server.Env = slices.DeleteFunc(os.Environ(), func(pair string) bool { return strings.HasPrefix(pair, "CALLWRIGHT_") })
	h.server.WaitDelay = patience
	h.server.Stdout, h.server.Stderr = &h.log, &h.log
	if err := h.server.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { h.ended <- h.server.Wait() }()
	t.Cleanup(func() { h.stop(t) })
	h.awaitReady(t)
	return h
}

// six gives the port from which on those of a house are that is at ::1, or 0 if
// the configuration is not of such a one.
func six(configuration string) uint16 {
	if !strings.Contains(configuration, "[::1]") {
		return 0
	}
	return uint16(10000 + os.Getpid()%18*500 + int(networks.Load())%2*250) // below the RTP ports
}

// host gives an address in the network.
func (h *house) host(last string) string { return h.network + last }

// api gives the address of an endpoint.
func (h *house) api(path string) string { return "http://" + h.host(hostServer) + ":8080" + path }

// patience is how long something is waited for that should have come long before: the
// machine may be slow and busy.
const patience = time.Minute

// eventually tries until there is nothing left to complain about.
func eventually(t *testing.T, complaint func() string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		text := complaint()
		if text == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(text)
		}
	}
}

func (h *house) awaitReady(t *testing.T) {
	t.Helper()
	eventually(t, func() string {
		select {
		case err := <-h.ended:
			h.ended <- err
			t.Fatalf("the server ended at its start: %v", err)
		default:
		}
		reply, err := http.Get(h.api("/readyz"))
		if err != nil {
			return err.Error()
		}
		reply.Body.Close()
		if reply.StatusCode != http.StatusOK {
			return "readyz says " + reply.Status
		}
		return ""
	})
}

// stop waits for the end of the server, which was asked to end just now. It
// must end well, by itself, and without a word of the race detector.
func (h *house) stop(t *testing.T) {
	if err := <-h.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the server ended with %v", err)
	}
	log := h.log.String()
	for _, reason := range h.reasons {
		if !strings.Contains(log, reason) {
			t.Errorf("the log does not say %q", reason)
		}
	}
	if strings.Contains(log, "DATA RACE") || strings.Contains(log, "panic:") || t.Failed() {
		t.Errorf("the server wrote:\n%s", log)
	}
}

// record is a call as GET /api/v1/calls gives it.
type record struct {
	ID         string
	Direction  string
	From, To   string
	State      string
	Cause      *string
	AnsweredAt *time.Time `json:"answered_at"`
	EndedAt    *time.Time `json:"ended_at"`
	Timeline   []struct{ Kind, Text string }
}

// get reads a JSON document.
func (h *house) get(path string, into any) error {
	request, err := http.NewRequest(http.MethodGet, h.api(path), nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer of the tests")
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, reply.Status)
	}
	return json.NewDecoder(reply.Body).Decode(into)
}

// post asks for something to be done.
func (h *house) post(t *testing.T, path, body string) {
	t.Helper()
	h.order(t, http.MethodPost, path, body)
}

// order does so by any method.
func (h *house) order(t *testing.T, method, path, body string) {
	t.Helper()
	request, err := http.NewRequest(method, h.api(path), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer of the tests")
	request.Header.Set("Content-Type", "application/json")
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	reply.Body.Close()
	if reply.StatusCode != http.StatusNoContent {
		t.Fatalf("%s %s: %s", method, path, reply.Status)
	}
}

// expectRecords waits until every call has ended and compares the records with
// those wanted, each "direction to cause", in any order. It gives the records
// of incoming calls with their timelines.
func (h *house) expectRecords(t *testing.T, want ...string) []record {
	t.Helper()
	var list struct{ Calls []record }
	eventually(t, func() string {
		list.Calls = nil
		if err := h.get("/api/v1/calls?limit=1000", &list); err != nil {
			return err.Error()
		}
		for _, r := range list.Calls {
			if r.EndedAt == nil {
				return fmt.Sprintf("call %s to %s is still %s", r.ID, r.To, r.State)
			}
		}
		if len(list.Calls) < len(want) {
			return fmt.Sprintf("there are %d calls, want %d", len(list.Calls), len(want))
		}
		return ""
	})
	var got []string
	var incoming []record
	for _, r := range list.Calls {
		if r.Cause == nil {
			t.Errorf("call %s ended without a cause", r.ID)
			continue
		}
		got = append(got, r.Direction+" "+r.To+" "+*r.Cause)
		if r.Direction == "in" {
			if err := h.get("/api/v1/calls/"+r.ID, &r); err != nil {
				t.Error(err)
			}
			incoming = append(incoming, r)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records, -want +got:\n%s", diff)
	}
	return incoming
}

// expectPorts waits until so many RTP ports of the server are open, which are the
// even ones.
func (h *house) expectPorts(t *testing.T, want int) {
	t.Helper()
	eventually(t, func() string {
		var open []uint16
		for _, at := range append(sockets(t, "udp"), sockets(t, "udp6")...) {
			if at.Addr() == h.at(phone{host: hostServer}).Addr() && at.Port() >= portFirst && at.Port() <= portLast && at.Port()%2 == 0 {
				open = append(open, at.Port())
			}
		}
		if len(open) != want {
			return fmt.Sprintf("the RTP ports %v are open, want %d", open, want)
		}
		return ""
	})
}

// sockets reads which UDP or TCP addresses are bound on this machine (Linux).
func sockets(t *testing.T, network string) []netip.AddrPort {
	t.Helper()
	table, err := os.ReadFile("/proc/net/" + network)
	if err != nil {
		t.Fatal(err)
	}
	var all []netip.AddrPort
	for _, line := range strings.Split(string(table), "\n")[1:] {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		address, port, _ := strings.Cut(fields[1], ":")
		raw, err := hex.DecodeString(address)
		number, err2 := strconv.ParseUint(port, 16, 16)
		if err != nil || err2 != nil || len(raw)%4 != 0 {
			t.Fatalf("/proc/net/%s has %q", network, line)
		}
		// The kernel prints an address as numbers of this machine, of 4 bytes each.
		for word := range slices.Chunk(raw, 4) {
			binary.NativeEndian.PutUint32(word, binary.BigEndian.Uint32(word))
		}
		ip, _ := netip.AddrFromSlice(raw)
		all = append(all, netip.AddrPortFrom(ip, uint16(number)))
	}
	return all
}
