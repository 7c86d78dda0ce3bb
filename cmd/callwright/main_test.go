// SPDX-License-Identifier: MIT

package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write what is printed into the scripts")

// TestMain lets the test binary stand for the program itself.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"callwright": main})
}

// TestScripts runs the command lines of testdata/script and compares what they
// print.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: *update, RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE")) // otherwise each command ends a second late
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": status, "app": app, "shows": shows, "serve": serve, "until": until, "left": left, "interrupted": interrupted, "find": find, "soon": soon},
	})
}

// status runs a command that must end with an exit status: status 2 callwright
// lint x.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status NUMBER COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = exitStatus(err)
	}
	if got != args[0] {
		ts.Fatalf("%v ended with status %s, want %s", args[1:], got, args[0])
	}
}

// soon runs a command again and again until a line that it prints matches: what a
// call leaves behind is stored a moment after it: soon PATTERN callwright calls.
func soon(ts *testscript.TestScript, _ bool, args []string) {
	wanted := regexp.MustCompile("(?m)" + args[0])
	for range 100 {
		ts.Check(ts.Exec(args[1], args[2:]...))
		if wanted.MatchString(ts.ReadFile("stdout")) {
			return
		}
	}
	ts.Fatalf("no line matches %s", args[0])
}

// exitStatus gives the status that a command ended with.
func exitStatus(err error) string {
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return strconv.Itoa(ended.ExitCode())
	}
	return err.Error()
}

// app starts a customer's app, at $APP. It answers each push with the file that
// is called as the push, newCall.xml, and each path with the file there.
func app(ts *testscript.TestScript, _ bool, _ []string) {
	folder := ts.MkAbs(".")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		name := strings.Trim(r.URL.Path, "/")
		if name == "" {
			name = r.PostFormValue("event") + ".xml"
		}
		body, err := os.ReadFile(filepath.Join(folder, filepath.Base(name)))
		if err != nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprint(w, strings.ReplaceAll(string(body), "$APP", "http://"+r.Host))
	}))
	ts.Defer(server.Close)
	ts.Setenv("APP", server.URL)
}

// shows compares what the last command printed with a file, in which $NAME
// stands for a variable and N for a figure that is never the same.
func shows(ts *testscript.TestScript, _ bool, args []string) {
	figures := regexp.MustCompile(`\b[0-9]+ ms\b`)
	got := figures.ReplaceAllString(ts.ReadFile("stdout"), "N ms")
	want := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	if diff := cmp.Diff(want, got); diff != "" {
		ts.Fatalf("(-want +got):\n%s", diff)
	}
}

// serve runs callwright serve with some flags until the script ends. $SIP and
// $API are where it listens.
func serve(ts *testscript.TestScript, _ bool, args []string) {
	flags := []string{"serve", "--http-listen=127.0.0.1:0", "--sip-listen=udp://127.0.0.1:0", "--media-ports=0"}
	process, out := start(ts, append(flags, args...), nil)
	ts.Defer(func() {
		ts.Check(process.Process.Signal(os.Interrupt))
		for out.Scan() { // to its end
		}
		ts.Check(process.Wait())
	})
	ts.Setenv("SIP", await(ts, out, `sip:100@(127\.0\.0\.1:[0-9]+)`))
	ts.Setenv("API", await(ts, out, `--server (http://127\.0\.0\.1:[0-9]+)`))
}

// until runs a command until it prints a line that matches, ends it as Ctrl-C
// does, and wants it to end well: until PATTERN callwright tail.
func until(ts *testscript.TestScript, _ bool, args []string) {
	process, out := start(ts, args[2:], nil)
	await(ts, out, args[0])
	ts.Check(process.Process.Signal(os.Interrupt))
	for out.Scan() { // to its end
	}
	ts.Check(process.Wait())
}

// interrupted runs a command that gets nothing to read, and wants one Ctrl-C to
// end it with status 1 after its first line.
func interrupted(ts *testscript.TestScript, _ bool, args []string) {
	r, silence, err := os.Pipe()
	ts.Check(err)
	defer r.Close()
	defer silence.Close()
	process, out := start(ts, args[1:], r)
	await(ts, out, ".")
	ts.Check(process.Process.Signal(os.Interrupt))
	if err := process.Wait(); err == nil || exitStatus(err) != "1" {
		ts.Fatalf("%v: %v, want status 1", args, err)
	}
}

// left runs a command until it prints a line that matches, and has its terminal
// close, or only who reads what it prints end. It must not be killed by that:
// left reader PATTERN callwright tail.
func left(ts *testscript.TestScript, _ bool, args []string) {
	process, out := start(ts, args[3:], nil)
	await(ts, out, args[1])
	if args[0] == "terminal" {
		ts.Check(process.Process.Signal(syscall.SIGHUP))
	}
	ts.Check(process.stdout.Close())
	if err := process.Wait(); err != nil && exitStatus(err) == "-1" {
		ts.Fatalf("%v: %v", args[3:], err)
	}
}

// find sets a variable to what a pattern finds in what was printed last.
func find(ts *testscript.TestScript, _ bool, args []string) {
	found := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if found == nil {
		ts.Fatalf("no match for %s", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// start runs the program in the script's folder and gives what it prints; what
// it logs goes into a file. It is killed at the end if it still runs.
func start(ts *testscript.TestScript, args []string, stdin io.Reader) (started, *bufio.Scanner) {
	log, err := os.OpenFile(ts.MkAbs("log.txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer log.Close()
	process := exec.Command("callwright", args...)
	process.Dir, process.Env, process.Stderr = ts.MkAbs("."), []string{"PATH=" + ts.Getenv("PATH"), "GORACE=" + ts.Getenv("GORACE")}, log
	process.Stdin = stdin
	out, err := process.StdoutPipe()
	ts.Check(err)
	ts.Check(process.Start())
	ts.Defer(func() { _ = process.Process.Kill() })
	return started{process, out}, bufio.NewScanner(out)
}

// started is a command that runs.
type started struct {
	*exec.Cmd
	stdout io.Closer
}

// await reads lines until one matches, and gives what its group found.
func await(ts *testscript.TestScript, out *bufio.Scanner, pattern string) string {
	wanted := regexp.MustCompile(pattern)
	var lines []string
	for out.Scan() {
		lines = append(lines, out.Text())
		if found := wanted.FindStringSubmatch(out.Text()); found != nil {
			return found[len(found)-1]
		}
	}
	ts.Fatalf("no line matches %s:\n%s", pattern, strings.Join(lines, "\n"))
	return ""
}

// A server that stays away is told of once, and that it is back.
func TestAbsence(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	a := absence{out: &out}
	_ = a.back()
	a.lost(errors.New("gone"))
	a.lost(errors.New("nothing listens"))
	a.lost(errors.New("nothing listens"))
	_ = a.back()
	_ = a.back()
	a.lost(errors.New("nothing listens"))
	want := "callwright: gone; trying again\ncallwright: nothing listens; trying again\ncallwright: the server is back\ncallwright: nothing listens; trying again\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What serve prints may be kept: it has no password of the app.
func TestWelcome(t *testing.T) {
	t.Parallel()
	got := welcome("udp://127.0.0.1:5060", "127.0.0.1:8080", "http://me:secret@localhost:3000")
	if !strings.HasPrefix(got, "The app at http://me:xxxxx@localhost:3000 answers every number") {
		t.Errorf("%s", got)
	}
}
