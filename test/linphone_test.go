// SPDX-License-Identifier: MIT

package test

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/peer"
)

// words of linphonec: what is typed into it, and what it prints.
var linphoneWords = brand{
	dial: "call sip:%s@callwright.test", accept: "answer", hangUp: "terminate", hold: "pause", resume: "resume", key: "%s", status: "status register", transfer: "transfer sip:%s@callwright.test",
	ready: "registered, identity", ringing: "is contacting you", established: "Media streams established", closed: " ended (", keyHeard: "Receiving tone %s ",
}

// linphoneSettings are those of a linphonec.
const linphoneSettings = `[sip]
sip_port=5060
sip_tcp_port=5060
sip_tls_port=5061
verify_server_certs=1
verify_server_cn=1
root_ca=AUTHORITY
bind_address=HOST
guess_hostname=0
contact=sip:USER@HOST
default_proxy=0
use_ipv6=0
media_encryption=ENCRYPTION
media_encryption_mandatory=MANDATORY
use_rfc2833=1
use_info=0
[rtp]
bind_address=HOST
audio_rtp_port=7000-7999
[video]
capture=0
display=0
[proxy_0]
reg_proxy=<SERVER>
reg_route=<SERVER>
reg_identity=sip:USER@callwright.test
reg_expires=120
reg_sendregister=1
[auth_info_0]
username=USER
passwd=pw-USER
`

// linphoneCodecs are those that it has, each "NAME RATE CHANNELS". G.711 comes
// first; the others are switched off, which wants them named exactly.
var linphoneCodecs = []string{
	"PCMU 8000 1", "PCMA 8000 1", "opus 48000 2", "speex 8000 1", "speex 16000 1", "speex 32000 1", "GSM 8000 1", "G722 8000 1", "G729 8000 1",
}

// linphone starts a linphonec that registers.
func (h *house) linphone(t *testing.T, l line) *telephone {
	t.Helper()
	peer.Need(t, "linphonec", "linphone-cli")
	dir := t.TempDir()
	encryption, mandatory := "none", "0"
	if l.encrypted {
		encryption, mandatory = "srtp", "1"
	}
	settings := strings.NewReplacer(
		"HOST", h.host(l.host), "SERVER", l.through(h), "USER", l.username,
		"ENCRYPTION", encryption, "MANDATORY", mandatory, "AUTHORITY", cmp.Or(l.authority, filepath.Join(h.dir, "ca.pem")),
	).Replace(linphoneSettings)
	for i, codec := range linphoneCodecs {
		var name string
		var rate, channels int
		if _, err := fmt.Sscan(codec, &name, &rate, &channels); err != nil {
			t.Fatal(err)
		}
		on := 0
		if strings.HasPrefix(name, "PCM") {
			on = 1
		}
		settings += fmt.Sprintf("[audio_codec_%d]\nmime=%s\nrate=%d\nchannels=%d\nenabled=%d\n", i, name, rate, channels, on)
	}
	if err := os.MkdirAll(filepath.Join(dir, ".local/share/linphone"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "rc"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := peer.Command(t, "linphonec", "-c", "rc", "-d", "6", "-l", "log")
	cmd.WaitDelay = farewell
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &telephone{t: t, brand: linphoneWords, events: make(chan string, 1000), log: filepath.Join(dir, "log")}
	t.Cleanup(func() {
		in.Close()
		for range p.events { // it ends with the test
		}
		_ = cmd.Wait()
		showOf(t, "linphonec "+h.host(l.host), p.log)
	})
	p.send = func(command string) error {
		_, err := fmt.Fprintln(in, command)
		return err
	}
	p.heard = func() []byte { return recorded(filepath.Join(dir, "heard-*.wav")) }
	go p.listen(out, dir, l)
	p.do("soundcard use files")
	if !l.manual {
		p.do("autoanswer enable")
	}
	if l.plays != 0 {
		tape(t, filepath.Join(dir, "tape.wav"), l.plays)
	}
	return p
}

// listen takes what a linphonec prints, until it has ended. Sound must be
// ordered anew for each call and after each hold.
func (p *telephone) listen(out io.Reader, dir string, l line) {
	defer close(p.events)
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); {
		if l.plays != 0 && strings.Contains(lines.Text(), linphoneWords.established) {
			n++
			_ = p.send("play " + filepath.Join(dir, "tape.wav"))
			_ = p.send(fmt.Sprintf("record %s/heard-%02d.wav", dir, n))
		}
		p.events <- lines.Text()
	}
}
