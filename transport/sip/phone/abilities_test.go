// SPDX-License-Identifier: MIT

package phone

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/prompt"
	"github.com/callwright/callwright/media/tone"
	"github.com/callwright/callwright/transport/sip/sdp"
)

// pair is alice, who talks to bob.
func pair(t *testing.T, alice Config) (out, in *Call) {
	t.Helper()
	alice.User = "alice"
	return connect(t, on(t, alice), on(t, Config{User: "bob"}))
}

// Every packet time is sent, and heard whole.
func TestPacketTimes(t *testing.T) {
	t.Parallel()
	for _, ms := range []time.Duration{10, 20, 30, 40, 60} {
		t.Run(ms.String(), func(t *testing.T) {
			t.Parallel()
			_, in := pair(t, Config{Tone: 1000, PacketTime: ms * time.Millisecond})
			must(t, in.WaitTone(t.Context(), 1000, Level-3))
			in.mu.Lock()
			asked := in.remote.PacketTime
			in.mu.Unlock()
			if asked != ms*time.Millisecond {
				t.Errorf("asked for %v", asked)
			}
			v, err := in.Listen(t.Context(), 600*time.Millisecond, 1000)
			must(t, err)
			if v.Silence > silenceMax || v.Level < Level-levelOff || v.Lost != 0 {
				t.Errorf("heard %s", v)
			}
			p := in.Packets()
			if got := p[1].Timestamp - p[0].Timestamp; got != uint32(8*ms) {
				t.Errorf("packets of %d samples", got)
			}
		})
	}
	if _, err := New(Config{Listen: "127.0.0.1:0", PacketTime: 9 * time.Millisecond}); err == nil {
		t.Error("a packet of 9 ms")
	}
}

// In a pause nothing comes but, if asked for, one packet of comfort noise. What
// follows is marked, and a new source goes on behind the old one.
func TestPausesAndSources(t *testing.T) {
	t.Parallel()
	out, in := pair(t, Config{Tone: 1000})
	must(t, in.WaitTone(t.Context(), 1000, Level-3))
	must(t, out.Hush(t.Context(), 200*time.Millisecond, true))
	must(t, in.WaitTone(t.Context(), 1000, Level-3))
	out.ChangeSource()
	must(t, in.WaitTone(t.Context(), 1000, Level-3))
	var jumps []uint32
	packets := in.Packets()
	sources := map[uint32]bool{}
	for i, p := range packets {
		sources[p.SSRC] = true
		if p.Marker && i > 0 && p.SSRC == packets[i-1].SSRC {
			jumps = append(jumps, p.Timestamp-packets[i-1].Timestamp)
		}
	}
	if len(jumps) != 1 || jumps[0] != 11*media.FrameSize || len(sources) != 2 {
		t.Errorf("jumps %v, %d sources", jumps, len(sources))
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.ear.noise != 1 {
		t.Errorf("%d packets of comfort noise", in.ear.noise)
	}
}

// A phone goes on from another port, with and without saying so, also at another
// address and with another codec.
func TestMoves(t *testing.T) {
	t.Parallel()
	out, in := pair(t, Config{Tone: 1000})
	in.mu.Lock()
	before := in.remote
	in.mu.Unlock()
	must(t, out.Move(t.Context(), MoveOptions{Host: netip.MustParseAddr("127.0.0.2"), Prefer: true, Codec: media.PCMA}))
	in.mu.Lock()
	after := in.remote
	in.mu.Unlock()
	if after.Addr.Addr().String() != "127.0.0.2" || after.Addr == before.Addr || after.Codec != media.PCMA {
		t.Errorf("moved from %+v to %+v", before, after)
	}
	must(t, in.WaitTone(t.Context(), 1000, Level-3))
	must(t, in.Play(t.Context(), tone.Make(4000, Level, 440)))
	caughtUp(t, in, out)
	if err := out.WaitTone(short(t), 440, Level-3); err == nil {
		t.Error("what was said is heard later")
	}
	if v := judge(out.Sound(), out.Packets(), 440, 0); v.Packets == 0 {
		t.Error("nothing was heard at the new address")
	}
	must(t, out.Rebind())
	heard := len(out.Packets())
	must(t, in.WaitTone(t.Context(), 1000, Level-3))
	must(t, in.Play(t.Context(), make([]int16, 1600)))
	if more := len(out.Packets()) - heard; more > 1 {
		t.Errorf("%d packets were heard at the port that is left", more)
	}
	in.Hangup()
	_, err := out.WaitEnd(t.Context())
	must(t, err)
	if out.Rebind() == nil || out.Move(t.Context(), MoveOptions{}) == nil {
		t.Error("a call that is over moves")
	}
}

// A move that the other side cannot follow leaves the call as it was.
func TestMoveRefused(t *testing.T) {
	t.Parallel()
	out, in := pair(t, Config{Tone: 1000})
	out.mu.Lock()
	ours := out.session
	out.session = sdp.New(at(out.line.now()), 1, media.Codec(18))
	out.mu.Unlock()
	if err := out.Move(t.Context(), MoveOptions{}); err == nil || !strings.Contains(err.Error(), "488") {
		t.Errorf("error %v", err)
	}
	out.mu.Lock()
	out.session = ours
	out.mu.Unlock()
	must(t, in.WaitTone(t.Context(), 1000, Level-3))
	must(t, out.Move(t.Context(), MoveOptions{}))
	must(t, in.WaitTone(t.Context(), 1000, Level-3))
}

// Keys go in every way, and each is heard in its own.
func TestKeys(t *testing.T) {
	t.Parallel()
	const all = "0123456789*#ABCD"
	out, in := pair(t, Config{Tone: 1000})
	want := func(way media.DigitWay, want string) {
		t.Helper()
		if got := in.DigitsBy(way); got != want {
			t.Errorf("%s: %q, want %q", way, got, want)
		}
	}
	must(t, out.SendInfo(t.Context(), all, InfoOptions{}))
	must(t, out.SendInfo(t.Context(), "55", InfoOptions{Plain: true, Hold: time.Second}))
	want(media.ByInfo, all+"55")
	want(media.ByTone, "")
	must(t, out.SendTones(t.Context(), all+"55", ToneOptions{}))
	caughtUp(t, out, in)
	want(media.ByTone, all+"55")
	want(media.ByEvent, "")
	must(t, out.SendDigits(t.Context(), all+"55"))
	caughtUp(t, out, in)
	want(media.ByEvent, all+"55")
	for _, digits := range []string{"x", "12 "} {
		if out.SendInfo(t.Context(), digits, InfoOptions{}) == nil || out.SendTones(t.Context(), digits, ToneOptions{}) == nil {
			t.Errorf("%q are keys", digits)
		}
	}
}

// What a phone does not take is refused.
func TestKeysRefused(t *testing.T) {
	t.Parallel()
	out, in := connect(t, on(t, Config{User: "alice"}), on(t, Config{User: "bob", NoEvents: true, NoInfo: true}))
	if err := out.SendInfo(t.Context(), "1", InfoOptions{}); err == nil || !strings.Contains(err.Error(), "415") {
		t.Errorf("by INFO: %v", err)
	}
	if err := out.SendDigits(t.Context(), "1"); err == nil {
		t.Error("telephone-event is sent to who has not agreed")
	}
	if in.SendEvents(t.Context(), "1", EventOptions{}) == nil {
		t.Error("telephone-event is sent by who has not offered it")
	}
}

// events sends keys over a bad line and gives what comes out of it.
func events(digits string, o EventOptions) (packets [][]byte, m mouth) {
	m = newMouth(1000, media.FrameDuration)
	m.keys.faults.Faults = o.Faults
	for i := range len(digits) {
		m.keys.queue = append(m.keys.queue, press{digits[i], o})
	}
	for m.keys.pressing() {
		for _, p := range m.next(media.Remote{TelephoneEvent: 101}) {
			if p[1]&0x7F == 101 {
				packets = append(packets, p)
			}
		}
	}
	return packets, m
}

// A bad line does what it is told to.
func TestFaults(t *testing.T) {
	t.Parallel()
	const hold = keyHold
	clean, _ := events("12", EventOptions{Hold: hold})
	if len(clean) != 2*(5+keyEnds) {
		t.Fatalf("%d packets", len(clean))
	}
	order := func(packets [][]byte) (sequence []int, ends int) {
		for _, p := range packets {
			sequence = append(sequence, int(p[3]))
			ends += int(p[13] >> 7)
		}
		return sequence, ends
	}
	if lost, _ := events("12", EventOptions{Hold: hold, Faults: Faults{Lose: 0.5}}); len(lost) == len(clean) || len(lost) == 0 {
		t.Errorf("%d packets of %d", len(lost), len(clean))
	}
	if _, ends := order(clean); ends != 2*keyEnds {
		t.Errorf("%d ends", ends)
	}
	lost, _ := events("12", EventOptions{Hold: hold, Faults: Faults{LoseEnds: true}})
	if _, ends := order(lost); ends != 0 || len(lost) != 10 {
		t.Errorf("%d ends in %d packets", ends, len(lost))
	}
	if twice, _ := events("12", EventOptions{Hold: hold, Faults: Faults{Twice: true}}); len(twice) != 2*len(clean) || string(twice[0]) != string(twice[1]) {
		t.Errorf("%d packets", len(twice))
	}
	swapped, _ := events("12", EventOptions{Hold: hold, Faults: Faults{Swap: true}})
	sequence, _ := order(swapped)
	if len(swapped) != len(clean) || (sequence[1]-sequence[0]+256)%256 != 255 {
		t.Errorf("sequence %v", sequence)
	}
	long, m := events("1", EventOptions{Hold: 3 * time.Second})
	last := long[len(long)-1]
	if len(long) != 150+keyEnds || int(last[14])<<8|int(last[15]) != 24000 || m.played != 5*media.FrameSize {
		t.Errorf("%d packets, the last % x, %d samples of sound", len(long), last[12:], m.played)
	}
	if _, m := events("1", EventOptions{Hold: hold, Aloud: true}); m.played != 13*media.FrameSize {
		t.Errorf("%d samples of sound", m.played)
	}
}

// A call can be written to a file, and a file said.
func TestFiles(t *testing.T) {
	t.Parallel()
	out, in := pair(t, Config{Tone: 1000})
	must(t, in.WaitTone(t.Context(), 1000, Level-3))
	path := filepath.Join(t.TempDir(), "heard.wav")
	must(t, in.Save(path))
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	p, err := prompt.Decode("heard", f)
	must(t, err)
	if len(p.ULaw) < 5*media.FrameSize {
		t.Errorf("%d samples are written", len(p.ULaw))
	}
	if in.Save(path) == nil {
		t.Error("a file is written over")
	}
	must(t, in.PlayFile(t.Context(), path))
	caughtUp(t, in, out)
	if levels := tone.Levels(out.Sound(), 1000); slices.Max(levels) < Level-3 {
		t.Errorf("heard at %.1f dB", slices.Max(levels))
	}
	if in.PlayFile(t.Context(), path+"x") == nil || in.PlayFile(t.Context(), os.Args[0]) == nil {
		t.Error("what is no sound is said")
	}
}
