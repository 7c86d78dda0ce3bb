// SPDX-License-Identifier: MIT

package test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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

// client copies the apps on the official client of sipgate.io to a folder of
// their own, and installs the client there, once. The repository stays without
// a node_modules.
var client = sync.OnceValues(func() (string, error) {
	const from = "../examples/sipgateio-node/"
	dir := filepath.Join(binaries, "sipgateio-node")
	if err := os.MkdirAll(filepath.Join(dir, "apps"), 0o700); err != nil {
		return "", err
	}
	apps, _ := filepath.Glob(from + "apps/*.js")
	for _, name := range append(apps, "testdata/careless.js", from+"package.json", from+"package-lock.json") {
		text, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		to := filepath.Base(name)
		if strings.HasSuffix(to, ".js") {
			to = filepath.Join("apps", to)
		}
		if err := os.WriteFile(filepath.Join(dir, to), text, 0o600); err != nil {
			return "", err
		}
	}
	install := exec.Command("npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci, which needs the registry or its cache: %w\n%s", err, out)
	}
	return dir, nil
})

// nodeApp is an app on the official client that runs, and prints the events that
// it is told of.
type nodeApp struct {
	url   string
	stdin io.Writer
	ended chan error

	mu    sync.Mutex
	lines []string
}

// ports counts the ports that were given to apps. The client listens at every
// address of the machine, so each of its apps has a port of its own.
var ports atomic.Int32

// freePort gives a port that the kernel gives to nobody by itself.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 21000 + os.Getpid()%100*100 + int(ports.Add(1))%100
		if l, err := net.Listen("tcp", ":"+strconv.Itoa(port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("there is no free port for an app")
	panic("unreachable")
}

// newNode reserves the address of an app that is started later.
func newNode(t *testing.T) *nodeApp {
	t.Helper()
	return &nodeApp{url: fmt.Sprintf("http://127.0.0.1:%d/", freePort(t))}
}

// startNode runs an app; see start.
func startNode(t *testing.T, name string, env ...string) *nodeApp {
	t.Helper()
	a := newNode(t)
	a.start(t, name, env...)
	return a
}

// start runs one of the apps, which ends with the test, and waits until it
// listens. env is what it is set up with, "NAME=value" each.
func (a *nodeApp) start(t *testing.T, name string, env ...string) {
	t.Helper()
	at, err := url.Parse(a.url)
	if err != nil {
		t.Fatal(err)
	}
	a.run(t, name, append(env, "SIPGATE_WEBHOOK_SERVER_PORT="+at.Port(), "SIPGATE_WEBHOOK_SERVER_ADDRESS="+a.url))
	eventually(t, func() string {
		conn, err := net.Dial("tcp", at.Host)
		if err != nil {
			return fmt.Sprintf("%s does not listen: %v", name, err)
		}
		conn.Close()
		return ""
	})
}

// proxies are the variables of the machine that would lead the client elsewhere.
var proxies = regexp.MustCompile(`(?i)^(http|https|all|no)_proxy=`)

// run starts the process.
func (a *nodeApp) run(t *testing.T, name string, env []string) {
	t.Helper()
	peer.Need(t, "node", "nodejs")
	peer.Need(t, "npm", "npm")
	dir, err := client()
	if err != nil {
		t.Fatal(err)
	}
	cmd := peer.Command(t, "node", filepath.Join("apps", name+".js"))
	cmd.Dir = dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), proxies.MatchString), env...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if a.stdin, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	a.ended = make(chan error, 1)
	go func() {
		for in := bufio.NewScanner(stdout); in.Scan(); {
			a.mu.Lock()
			a.lines = append(a.lines, in.Text())
			a.mu.Unlock()
		}
		a.ended <- cmd.Wait()
	}()
	t.Cleanup(func() {
		<-a.ended
		if t.Failed() {
			t.Logf("%s printed:\n%s\nand complained:\n%s", name, strings.Join(a.printed(), "\n"), &complaints)
		}
	})
}

// printed gives what the app has printed so far.
func (a *nodeApp) printed() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.lines)
}

// told waits until the app was told of so many events.
func (a *nodeApp) told(t *testing.T, n int) {
	t.Helper()
	eventually(t, func() string {
		if got := a.printed(); len(got) < n {
			return fmt.Sprintf("the app was told of %d events, want %d:\n%s", len(got), n, strings.Join(got, "\n"))
		}
		return ""
	})
}

// identifiers are what differs from run to run in the events.
var identifiers = regexp.MustCompile(`"(callId|originalCallId|xcid)":"(\w+)"`)

// expect waits until the app was told of so many events and compares them, as
// its handlers saw them. A, B, … stand for ids of calls, and X, Y, Z for those of
// chains, in the order in which they come.
func (a *nodeApp) expect(t *testing.T, want ...string) {
	t.Helper()
	a.told(t, len(want))
	calls, chains := map[string]string{}, map[string]string{}
	var got []string
	for _, line := range a.printed() {
		got = append(got, identifiers.ReplaceAllStringFunc(line, func(field string) string {
			parts := identifiers.FindStringSubmatch(field)
			names, first := calls, 'A'
			if parts[1] == "xcid" {
				names, first = chains, 'X'
			}
			if names[parts[2]] == "" {
				names[parts[2]] = string(first + rune(len(names)))
			}
			return fmt.Sprintf("%q:%q", parts[1], names[parts[2]])
		}))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the app was told, -want +got:\n%s", diff)
	}
}

// sounds serves a WAV file of any tone and length: of 440 Hz for 600 ms at
// URL/440/600.wav.
func sounds(t *testing.T) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var hz, ms int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d/%d.wav", &hz, &ms); err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "audio/wav")
		_, _ = w.Write(wav(time.Duration(ms)*time.Millisecond, hz))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// died waits until the app has ended by itself.
func (a *nodeApp) died(t *testing.T) {
	t.Helper()
	select {
	case err := <-a.ended:
		if a.ended <- err; err == nil {
			t.Error("the app ended well")
		}
	case <-time.After(patience):
		t.Error("the app still runs")
	}
}
