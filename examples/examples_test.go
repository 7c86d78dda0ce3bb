// SPDX-License-Identifier: MIT

package examples

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/examples/reception"
	"github.com/callwright/callwright/internal/peer"
)

// address is where the documentation of sipgate.io expects a customer's app.
const address = "localhost:3000"

// documented are the four requests of the API reference of sipgate.io, letter
// by letter, bare brackets and all.
var documented = []struct{ event, command string }{
	{"newCall", `curl \
  -X POST \
  --data "event=newCall&from=492111234567&to=4915791234567&direction=in&callId=123456&user[]=Alice&user[]=Bob&userId[]=w0&userId[]=w1&fullUserId[]=1234567w0&fullUserId[]=1234567w1" \
  http://localhost:3000`},
	{"answer", `curl \
  -X POST \
  --data "event=answer&callId=123456&user=John+Doe&userId=w0&fullUserId=1234567w0&from=492111234567&to=4915791234567&direction=in&answeringNumber=21199999999" \
  http://localhost:3000`},
	{"hangup", `curl \
  -X POST \
  --data "event=hangup&cause=normalClearing&callId=123456&from=492111234567&to=4915791234567&direction=in&answeringNumber=4921199999999" \
  http://localhost:3000`},
	{"dtmf", `curl \
  -X POST \
  --data "event=dtmf&dtmf=1&callId=123456" \
  http://localhost:3000`},
}

// asReception makes the test binary run the built-in app instead of the tests.
const asReception = "CALLWRIGHT_TEST_RECEPTION"

func TestMain(m *testing.M) {
	if os.Getenv(asReception) != "" {
		fmt.Fprintln(os.Stderr, http.ListenAndServe(address, reception.New(reception.Config{})))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestDocumentedRequests runs every app and sends it the documented requests.
// The apps share one port, so they run one after the other.
func TestDocumentedRequests(t *testing.T) {
	peer.Need(t, "curl", "curl")
	apps := []struct {
		name  string
		start func(t *testing.T) *exec.Cmd
	}{
		{"reception", func(t *testing.T) *exec.Cmd {
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := peer.Command(t, self)
			cmd.Env = append(os.Environ(), asReception+"=1")
			return cmd
		}},
		{"go", func(t *testing.T) *exec.Cmd {
			app := filepath.Join(t.TempDir(), "app")
			if out, err := peer.Command(t, "go", "build", "-o", app, "./go").CombinedOutput(); err != nil {
				t.Fatalf("build: %v\n%s", err, out)
			}
			cmd := peer.Command(t, app)
			cmd.Dir = ".." // the prompts are named from the repository's root
			return cmd
		}},
		{"python", func(t *testing.T) *exec.Cmd {
			peer.Need(t, "python3", "python3")
			return peer.Command(t, "python3", "python/app.py")
		}},
		{"node", func(t *testing.T) *exec.Cmd {
			peer.Need(t, "node", "nodejs")
			return peer.Command(t, "node", "node/app.js")
		}},
	}
	for _, app := range apps {
		t.Run(app.name, func(t *testing.T) {
			run := start(t, app.start(t))
			for _, d := range documented {
				reply := curl(t, d.command)
				if err := checkReply(d.event, reply); err != nil {
					t.Errorf("%s: %v in %q", d.event, err, reply)
				}
				if ended, state := run.ended(); ended {
					t.Fatalf("the app died of %s: %v\n%s", d.event, state, run.stderr)
				}
			}
			checkSound(t)
			run.stop(t)
		})
	}
}

// running is an app in a process of its own.
type running struct {
	cmd    *exec.Cmd
	done   chan error
	stderr *bytes.Buffer // read it only after the end
}

// start runs an app and waits until it listens.
func start(t *testing.T, cmd *exec.Cmd) *running {
	t.Helper()
	if l, err := net.Listen("tcp", address); err != nil {
		t.Fatalf("the documented requests go to %s: stop what listens there (%v)", address, err)
	} else {
		l.Close()
	}
	r := &running{cmd: cmd, done: make(chan error, 1), stderr: new(bytes.Buffer)}
	cmd.Stderr = r.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { r.done <- cmd.Wait() }()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
			return r
		}
		if ended, state := r.ended(); ended {
			t.Fatalf("the app ended before it listened: %v\n%s", state, r.stderr)
		}
		if time.Now().After(deadline) {
			t.Fatalf("the app does not listen on %s: %v", address, err)
		}
	}
}

// ended says whether the app is gone, and how it ended.
func (r *running) ended() (bool, error) {
	select {
	case state := <-r.done:
		return true, state
	default:
		return false, nil
	}
}

// trouble is what a crash looks like in any of the languages.
var trouble = regexp.MustCompile(`(?im)^panic|http: panic|^goroutine \d|traceback|exception|^\s+at .*:\d+:\d+|uncaught|unhandled`)

// stop ends the app and looks at what it complained about.
func (r *running) stop(t *testing.T) {
	t.Helper()
	if err := r.cmd.Cancel(); err != nil {
		t.Fatal(err)
	}
	<-r.done
	if trouble.Match(r.stderr.Bytes()) {
		t.Errorf("the app wrote:\n%s", r.stderr)
	}
}

// curl runs a documented command as it stands. What it does not say, to be
// silent and to tell the status, is said in a configuration file.
func curl(t *testing.T, command string) string {
	t.Helper()
	home := t.TempDir()
	config := "silent\nshow-error\nnoproxy = \"*\"\nmax-time = 60\nwrite-out = \"\\n%{http_code} %{content_type}\"\n"
	if err := os.WriteFile(filepath.Join(home, ".curlrc"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := peer.Command(t, "sh", "-c", command)
	cmd.Env = append(os.Environ(), "CURL_HOME="+home)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// checkReply reads what curl printed: the body, a line with the status and the
// type.
func checkReply(event, printed string) error {
	at := strings.LastIndex(printed, "\n")
	body, status := printed[:at], printed[at+1:]
	if !strings.HasPrefix(status, "200 ") {
		return fmt.Errorf("status %s", status)
	}
	question := event == "newCall" || event == "dtmf"
	if !question && body == "" {
		return nil
	}
	if !strings.HasPrefix(status, "200 application/xml") {
		return fmt.Errorf("status and type %s, want 200 application/xml", status)
	}
	var doc struct {
		XMLName xml.Name `xml:"Response"`
		Gather  []struct {
			OnData string `xml:"onData,attr"`
		}
	}
	if err := wellFormed(body); err != nil {
		return err
	}
	if err := xml.Unmarshal([]byte(body), &doc); err != nil {
		return err
	}
	// A new call is asked for the PIN; "1" is not it, so it is asked again.
	if question && (len(doc.Gather) != 1 || !strings.HasPrefix(doc.Gather[0].OnData, "http://"+address+"/")) {
		return fmt.Errorf("want one Gather with an onData on %s", address)
	}
	return nil
}

// wellFormed reads a document to its end.
func wellFormed(body string) error {
	d := xml.NewDecoder(strings.NewReader(body))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// checkSound fetches the greeting from where the app says it is.
func checkSound(t *testing.T) {
	t.Helper()
	reply := curl(t, documented[0].command)
	at := regexp.MustCompile(`<Url>(.*?)</Url>`).FindStringSubmatch(reply)
	if at == nil {
		t.Fatalf("no <Url> in %q", reply)
	}
	got, err := http.Get(at[1])
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	wav, err := io.ReadAll(got.Body)
	if err != nil || got.StatusCode != http.StatusOK || !bytes.HasPrefix(wav, []byte("RIFF")) {
		t.Errorf("GET %s: status %d, %d bytes, %v", at[1], got.StatusCode, len(wav), err)
	}
}
