// SPDX-License-Identifier: MIT

package test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/media/tone"
)

// line is what a telephone is set up with. Its password is that of the
// configurations: "pw-" and the username.
type line struct {
	host      string // the last number of its address
	username  string
	via       string // the last number of the address that it reaches us at; empty means ours
	transport string // udp, tcp or tls; empty means udp
	encrypted bool   // it takes no sound that is not encrypted
	authority string // who may have signed the server's certificate; empty means who did
	manual    bool   // it does not answer by itself
	watches   bool   // it subscribes to the messages that wait for its user
	plays     int    // hertz of the tone that it plays; 0 sends back what it hears
}

// through is how the line reaches the server.
func (l line) through(h *house) string {
	port := 5060
	if l.transport == "tls" {
		port = 5061
	}
	return fmt.Sprintf("sip:%s:%d;transport=%s", h.host(cmp.Or(l.via, hostServer)), port, cmp.Or(l.transport, "udp"))
}

// telephone is a foreign telephone that runs.
type telephone struct {
	t      *testing.T
	brand  brand
	send   func(command string) error
	events chan string
	heard  func() []byte // the samples that were recorded, of 16 bits
	log    string        // the file that it writes about itself
}

// farewell is how long a telephone has to end. What it has to say at the end nobody
// answers any more: the server ends at the same time.
const farewell = 500 * time.Millisecond

// brand is what commands and events of one make of telephones are called.
type brand struct {
	dial, accept, hangUp, hold, resume, key, status, transfer string // commands
	ready, ringing, established, closed, keyHeard             string // events
	deafAfterHold                                             bool   // it records nothing more once it has been on hold
}

// do presses a button.
func (p *telephone) do(button string, values ...any) {
	p.t.Helper()
	if len(values) > 0 {
		button = fmt.Sprintf(button, values...)
	}
	if err := p.send(button); err != nil {
		p.t.Fatal(err)
	}
}

// registered waits until the telephone is registered, which it does by itself.
func (p *telephone) registered() *telephone {
	p.t.Helper()
	eventually(p.t, func() string {
		p.do(p.brand.status)
		select {
		case info := <-p.events:
			if !strings.Contains(info, p.brand.ready) {
				return fmt.Sprintf("the telephone is not registered: %q", info)
			}
		case <-time.After(time.Second):
			return "the telephone does not say whether it is registered"
		}
		return ""
	})
	return p
}

// expect waits for an event that has these words.
func (p *telephone) expect(event string, values ...any) {
	p.t.Helper()
	if len(values) > 0 {
		event = fmt.Sprintf(event, values...)
	}
	timeout := time.After(patience)
	var seen []string
	for {
		select {
		case got, ok := <-p.events:
			if strings.Contains(got, event) {
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

// hears waits until the telephone has heard half a second of each of some tones, one
// after the other, from now on.
func (p *telephone) hears(tones ...int) {
	p.t.Helper()
	p.hasHeard(len(p.heard()), tones...)
}

// hasHeard does so of what it has heard behind some bytes: of tones that come and go,
// perhaps before anybody looks.
func (p *telephone) hasHeard(after int, tones ...int) {
	p.t.Helper()
	for _, hz := range tones {
		eventually(p.t, func() string {
			sound := p.heard()
			loudest := float64(tone.Silence)
			for from := after; from+8000 <= len(sound); from += 1600 {
				samples := make([]int16, 4000)
				_, _ = binary.Decode(sound[from:], binary.LittleEndian, samples)
				if loudest = max(loudest, tone.Level(samples, float64(hz))); loudest >= -20 {
					after = from
					return ""
				}
			}
			return fmt.Sprintf("of %d Hz, the telephone heard %.0f dB at most in %d bytes", hz, loudest, max(len(sound)-after, 0))
		})
	}
}

// lasts says how long a tone is in a sound.
func lasts(sound []byte, hz int) (length time.Duration) {
	for frame := range slices.Chunk(sound, 640) {
		samples := make([]int16, len(frame)/2)
		_, _ = binary.Decode(frame, binary.LittleEndian, samples)
		if tone.Level(samples, float64(hz)) > -20 {
			length += time.Duration(len(samples)) * time.Second / 8000
		}
	}
	return length
}

// hearsNoMore waits until the telephone has not heard a tone for half a second.
func (p *telephone) hearsNoMore(hz int) {
	p.t.Helper()
	after := len(p.heard())
	eventually(p.t, func() string {
		sound := p.heard()
		if len(sound) < after+8000 {
			return fmt.Sprintf("the telephone heard %d bytes, of which nothing can be said", len(sound)-after)
		}
		samples := make([]int16, 4000)
		_, _ = binary.Decode(sound[len(sound)-8000:], binary.LittleEndian, samples)
		if level := tone.Level(samples, float64(hz)); level > -50 {
			return fmt.Sprintf("the telephone still hears %d Hz, at %.0f dB", hz, level)
		}
		return ""
	})
}

// wavHeader is how long it is in the files that telephones write. While they do,
// what is in it is not true yet.
const wavHeader = 44

// tells waits until the telephone has written about something in its log.
func (p *telephone) tells(what string) {
	p.t.Helper()
	eventually(p.t, func() string {
		if text, _ := os.ReadFile(p.log); !bytes.Contains(text, []byte(what)) {
			return fmt.Sprintf("the telephone does not tell of %q", what)
		}
		return ""
	})
}

// recorded gives the samples of the WAV files of some names.
func recorded(pattern string) (sound []byte) {
	files, _ := filepath.Glob(pattern)
	for _, name := range files {
		if file, _ := os.ReadFile(name); len(file) > wavHeader {
			sound = append(sound, file[wavHeader:]...)
		}
	}
	return sound[:len(sound)&^1]
}

// tape writes a WAV file of a minute of a tone, for telephones to play.
func tape(t *testing.T, name string, hz int) {
	t.Helper()
	if err := os.WriteFile(name, wav(time.Minute, hz), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wav makes a WAV file of a tone.
func wav(length time.Duration, hz int) []byte {
	samples := tone.Make(int(length.Seconds()*8000), -12, float64(hz))
	var file bytes.Buffer
	for _, part := range []any{
		[]byte("RIFF"), uint32(36 + 2*len(samples)), []byte("WAVEfmt "), uint32(16), uint16(1), uint16(1),
		uint32(8000), uint32(16000), uint16(2), uint16(16), []byte("data"), uint32(2 * len(samples)), samples,
	} {
		_ = binary.Write(&file, binary.LittleEndian, part) // a buffer takes everything
	}
	return file.Bytes()
}
