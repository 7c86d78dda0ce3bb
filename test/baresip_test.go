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
	"time"

	"github.com/callwright/callwright/internal/peer"
)

// telephone is a baresip that runs.
type telephone struct {
	t      *testing.T
	conn   net.Conn
	events chan string // "CALL_INCOMING", with what there is to say about it
}

// settings of a baresip that sends back what it hears.
const settings = `
poll_method epoll
sip_listen HOST:5060
audio_path /nonexistent
audio_player aubridge,null-a
audio_alert aubridge,null-a
audio_source aubridge,null-a
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
module_path MODULES
module g711.so
module aubridge.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen HOST:4444
ringback_disabled yes
`

// telephone starts a baresip at an address that registers with a password.
// parameters are those of its account.
func (h *house) telephone(t *testing.T, last, username, password, parameters string) *telephone {
	t.Helper()
	peer.Need(t, "baresip", "baresip-core")
	dir, host := t.TempDir(), h.host(last)
	files := map[string]string{
		"config":   strings.NewReplacer("HOST", host, "MODULES", modules(t)).Replace(settings),
		"contacts": "",
		"accounts": fmt.Sprintf("<sip:%[1]s@callwright.test>;auth_user=%[1]s;auth_pass=%[2]s;outbound=\"sip:%[3]s:5060\";regint=60;%[4]s\n",
			username, password, h.host(hostServer), parameters),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := peer.Command(t, "baresip", "-f", dir, "-4", "-v")
	screen, err := os.Create(filepath.Join(dir, "screen"))
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	cmd.Stdout, cmd.Stderr = screen, screen
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	phone := &telephone{t: t, events: make(chan string, 100)}
	t.Cleanup(func() {
		_ = cmd.Wait() // ends with the test
		if phone.conn != nil {
			phone.conn.Close()
		}
		if text, err := os.ReadFile(screen.Name()); err == nil && t.Failed() {
			t.Logf("baresip %s said:\n%s", host, text)
		}
	})
	eventually(t, func() string {
		conn, err := net.Dial("tcp", host+":4444")
		if err != nil {
			return err.Error()
		}
		phone.conn = conn
		return ""
	})
	go phone.read()
	return phone
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

// read takes events until the telephone has ended: netstrings of JSON.
func (p *telephone) read() {
	defer close(p.events)
	r := bufio.NewReader(p.conn)
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
			p.events <- strings.TrimSpace(message.Type + " " + message.Param + message.Data)
		}
	}
}

// command presses a button.
func (p *telephone) command(command, parameter string) {
	p.t.Helper()
	text, err := json.Marshal(map[string]string{"command": command, "params": parameter})
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(p.conn, "%d:%s,", len(text), text); err != nil {
		p.t.Fatal(err)
	}
}

// registered waits until the telephone is registered, which it does by itself.
func (p *telephone) registered() {
	p.t.Helper()
	eventually(p.t, func() string {
		p.command("reginfo", "")
		if info := <-p.events; !strings.Contains(info, "OK") {
			return fmt.Sprintf("the telephone is not registered: %q", info)
		}
		return ""
	})
}

// expect waits for an event that begins like this.
func (p *telephone) expect(event string) {
	p.t.Helper()
	timeout := time.After(20 * time.Second)
	var seen []string
	for {
		select {
		case got, ok := <-p.events:
			if strings.HasPrefix(got, event) {
				return
			}
			if seen = append(seen, got); !ok {
				p.t.Fatalf("the telephone ended after %q, want %s", seen, event)
			}
		case <-timeout:
			p.t.Fatalf("the telephone told only of %q, want %s", seen, event)
		}
	}
}
