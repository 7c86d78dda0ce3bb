// SPDX-License-Identifier: MIT

package test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/peer"
)

// words of baresip: its commands, and its events as read gives them.
var baresipWords = brand{
	dial: "dial %s", accept: "accept", hangUp: "hangup", hold: "hold", resume: "resume", key: "sndcode %s", status: "reginfo", transfer: "transfer sip:%s@callwright.test",
	ready: "OK", ringing: "CALL_INCOMING", established: "CALL_ESTABLISHED", closed: "CALL_CLOSED", keyHeard: "CALL_DTMF_START %s",
	deafAfterHold: true,
}

// baresipSettings are those of a baresip, which takes its sound from SOURCE and
// writes what it hears into a folder. Whatever it sends to us but SIP over UDP
// leaves from 127.0.0.1, so it had better say so.
const baresipSettings = `
poll_method epoll
sip_listen HOST:5060
net_interface 127.0.0.1
audio_path /nonexistent
audio_player aubridge,null-a
audio_alert aubridge,null-a
audio_source SOURCE
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
module_path MODULES
module g711.so
module aubridge.so
module aufile.so
module sndfile.so
module srtp.so
snd_path DIR/heard
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen HOST:4444
ringback_disabled yes
`

// baresip starts a baresip that registers.
func (h *house) baresip(t *testing.T, l line) *telephone {
	t.Helper()
	peer.Need(t, "baresip", "baresip-core")
	dir, host := t.TempDir(), h.host(l.host)
	source, mode, encryption, watch := "aubridge,null-a", "auto", "", ""
	if l.plays != 0 {
		source = "aufile," + filepath.Join(dir, "tape.wav")
		tape(t, filepath.Join(dir, "tape.wav"), l.plays)
	}
	if l.manual {
		mode = "manual"
	}
	if l.encrypted {
		encryption = ";mediaenc=srtp-mand"
	}
	if l.watches {
		watch = "module_app mwi.so\n"
	}
	files := map[string]string{
		"config":   watch + strings.NewReplacer("HOST", host, "MODULES", modules(t), "SOURCE", source, "DIR", dir).Replace(baresipSettings),
		"contacts": "",
		"accounts": fmt.Sprintf("<sip:%[1]s@callwright.test>;auth_user=%[1]s;auth_pass=pw-%[1]s;outbound=\"%[2]s\";regint=60;answermode=%[3]s%[4]s\n",
			l.username, l.through(h), mode, encryption),
	}
	if err := os.Mkdir(filepath.Join(dir, "heard"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := peer.Command(t, "baresip", "-f", dir, "-4", "-v", "-s")
	cmd.WaitDelay = farewell
	screen, err := os.Create(filepath.Join(dir, "screen"))
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	cmd.Stdout, cmd.Stderr = screen, screen
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var conn net.Conn
	t.Cleanup(func() {
		_ = cmd.Wait() // ends with the test
		if conn != nil {
			conn.Close()
		}
		showOf(t, "baresip "+host, screen.Name())
	})
	eventually(t, func() string {
		if conn, err = net.Dial("tcp", host+":4444"); err != nil {
			return err.Error()
		}
		return ""
	})
	p := &telephone{t: t, brand: baresipWords, events: make(chan string, 1000), log: screen.Name()}
	p.send = func(command string) error { return sendTo(conn, command) }
	p.heard = func() []byte { return recorded(filepath.Join(dir, "heard", "*-dec.wav")) }
	go readFrom(conn, p.events)
	return p
}

// showOf shows what a peer wrote, if the test failed.
func showOf(t *testing.T, name, file string) {
	if text, err := os.ReadFile(file); err == nil && t.Failed() {
		t.Logf("%s said:\n%s", name, text)
	}
}

// modules finds where baresip's modules are.
func modules(t *testing.T) string {
	t.Helper()
	for _, pattern := range []string{"/usr/lib/baresip/modules", "/usr/lib/*/baresip/modules", "/usr/local/lib/baresip/modules"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[0]
		}
	}
	t.Fatal("the modules of baresip are not where they should be")
	panic("unreachable")
}

// readFrom takes events of a baresip until it has ended: netstrings of JSON.
func readFrom(conn net.Conn, events chan<- string) {
	defer close(events)
	r := bufio.NewReader(conn)
	for {
		length, err := r.ReadString(':')
		n, err2 := strconv.Atoi(strings.TrimSuffix(length, ":"))
		if err != nil || err2 != nil {
			return
		}
		text := make([]byte, n+1) // and a comma
		if _, err := io.ReadFull(r, text); err != nil {
			return
		}
		var message struct{ Type, Param, Data string }
		if json.Unmarshal(text[:n], &message) == nil { // an event, or the answer to a command
			events <- strings.TrimSpace(message.Type + " " + message.Param + message.Data)
		}
	}
}

// sendTo gives a baresip a command.
func sendTo(conn net.Conn, command string) error {
	name, parameter, _ := strings.Cut(command, " ")
	text, err := json.Marshal(map[string]string{"command": name, "params": parameter})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(conn, "%d:%s,", len(text), text)
	return err
}
