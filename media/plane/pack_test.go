// SPDX-License-Identifier: MIT

package plane

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/tone"
)

// callWishing is call with a phone that wishes a packet time.
func (f *fixture) callWishing(c media.Codec, wish time.Duration) (media.StreamID, *phone) {
	f.t.Helper()
	id, at := f.open()
	p := newPhone(f.t, c, at)
	r := p.remote()
	r.PacketTime = wish
	f.must(f.Connect(id, r))
	return id, p
}

// inOrder fails unless packets of sound follow each other without a gap, each
// as long as want says.
func inOrder(t *testing.T, packets []heard, want int) {
	t.Helper()
	for i, h := range packets {
		if len(h.payload) != want {
			t.Fatalf("packet %d has %d samples, want %d", i, len(h.payload), want)
		}
		if i == 0 {
			continue
		}
		if was := packets[i-1]; h.Sequence != was.Sequence+1 || h.Timestamp != was.Timestamp+uint32(want) || h.SSRC != was.SSRC || h.Marker {
			t.Fatalf("packet %d: %+v follows %+v", i, h.Header, was.Header)
		}
	}
}

func TestPacketTimeWished(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for wish, want := range map[time.Duration]time.Duration{
		0: 20 * ms, 10 * ms: 10 * ms, 20 * ms: 20 * ms, 40 * ms: 40 * ms, 60 * ms: 60 * ms,
		30 * ms: 20 * ms, 50 * ms: 20 * ms, 5 * ms: 20 * ms, 80 * ms: 20 * ms, -20 * ms: 20 * ms,
	} {
		f := setup(t, Config{})
		id, p := f.callWishing(media.PCMA, wish)
		f.must(f.Play(id, prompt(400, 1000), media.PlayOptions{Loop: true}))
		f.step(120 * ms)
		before := p.drain()
		f.step(2400 * ms)
		p.listen()
		inOrder(t, p.heard, int(want/ms)*8)
		if n, all := len(p.heard), int(2400*ms/want); n < all-2 || n > all+2 {
			t.Errorf("%v wished: %d packets in 2.4 s, want %d", wish, n, all)
		}
		hears(t, wish.String(), p.sound(), 1000)
		if got := f.closeAndCountAfter(id, media.PlayEnded); got.Sent != uint64(len(p.listen())+before) {
			t.Errorf("%v wished: %d packets sent, %d heard", wish, got.Sent, len(p.heard))
		}
	}
}

// closeAndCountAfter is closeAndCount for a stream that tells of something else
// first.
func (f *fixture) closeAndCountAfter(id media.StreamID, kind media.EventKind) media.Figures {
	f.t.Helper()
	f.must(f.CloseStream(id))
	f.step(media.FrameDuration)
	f.want(id, kind)
	return f.want(id, media.Closed).Figures
}

// A key cuts short the packet that is being gathered, so that what was to be
// heard before it is.
func TestKeyInALongPacket(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.callWishing(media.PCMU, 60*time.Millisecond)
	f.must(f.Play(id, prompt(400, 1000), media.PlayOptions{Loop: true}))
	f.step(620 * time.Millisecond) // 31 frames
	f.must(f.SendDigits(id, "5"))
	f.step(time.Second)
	f.want(id, media.DigitsSent)
	keys, sound := 0, 0
	for i, h := range p.listen() {
		if h.PayloadType == events {
			keys++
			continue
		}
		sound += len(h.payload)
		if i > 0 && p.heard[i-1].PayloadType != events && h.Timestamp != p.heard[i-1].Timestamp+uint32(len(p.heard[i-1].payload)) {
			t.Fatalf("packet %d: %+v follows %+v", i, h.Header, p.heard[i-1].Header)
		}
	}
	if keys != 7 || sound < (81-7-3)*media.FrameSize {
		t.Errorf("%d packets of the key, %d samples of sound", keys, sound)
	}
	hears(t, "beside the key", p.sound(), 1000)
}

// What begins a talk spurt begins a packet, and what was gathered when a peer
// was put on hold is not sent when it comes back.
func TestLongPacketsBegin(t *testing.T) {
	t.Parallel()
	for frames := range 4 {
		f := setup(t, Config{})
		id, p := f.callWishing(media.PCMU, 60*time.Millisecond)
		f.step(time.Duration(300+20*frames) * time.Millisecond)
		f.must(f.Play(id, prompt(400, 1000), media.PlayOptions{Loop: true}))
		f.step(time.Duration(300+20*frames) * time.Millisecond)
		marked := 0
		for i, h := range p.listen() {
			switch {
			case i == 0 || !h.Marker:
			case h.payload[1] == 0xFF:
				t.Errorf("packet %d is marked and begins with silence", i)
			default:
				marked++
			}
		}
		if marked != 1 {
			t.Errorf("%d packets are marked as the beginning of the prompt", marked)
		}
		last := p.heard[len(p.heard)-1]
		r := p.remote()
		r.PacketTime, r.Send = 60*time.Millisecond, false
		f.must(f.Connect(id, r))
		p.drain()
		f.step(200 * time.Millisecond)
		if n := p.drain(); n != 0 {
			t.Errorf("%d packets to a held peer", n)
		}
		r.Send = true
		f.must(f.Connect(id, r))
		f.step(time.Second)
		p.listen()
		if apart := p.heard[0].Timestamp - last.Timestamp; apart < 10*media.FrameSize {
			t.Errorf("after the hold the first packet is %d samples after the last", apart)
		}
		hears(t, "after the hold", p.sound(), 1000)
	}
}

// A re-INVITE changes the packet time at once, on a stream that has moved to
// another shard as well.
func TestPacketTimeChanges(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{Shards: 2})
	a, pa := f.callWishing(media.PCMU, 40*time.Millisecond)
	b, pb := f.callWishing(media.PCMA, 60*time.Millisecond)
	f.must(f.Bridge(a, b))
	songs := map[*phone]float64{pa: 1000, pb: 440}
	f.run(settle, songs)
	pa.heard, pb.heard = nil, nil
	f.run(120, songs)
	inOrder(t, pa.heard, 320)
	inOrder(t, pb.heard, 480)
	hears(t, "40 ms", pa.sound(), 440)
	hears(t, "60 ms", pb.sound(), 1000)
	for _, wish := range []time.Duration{20, 60, 10, 40} {
		r := pa.remote()
		r.PacketTime = wish * time.Millisecond
		f.must(f.Connect(a, r))
		f.run(4, songs)
		pa.heard = nil
		f.run(60, songs)
		inOrder(t, pa.heard, int(wish)*8)
		hears(t, wish.String(), pa.sound(), 440)
	}
}

// Whatever the packet time of a peer, it is heard, recorded and understood.
func TestPacketTimesReceived(t *testing.T) {
	t.Parallel()
	for _, ms := range []int{10, 15, 20, 25, 30, 40, 50, 60} {
		f := setup(t, Config{})
		a, pa := f.call(media.PCMU)
		b, pb := f.call(media.PCMA)
		path := filepath.Join(t.TempDir(), "a.wav")
		f.must(f.Bridge(a, b))
		f.must(f.Record(a, media.RecordOptions{Path: path}))
		f.say(pa, prompt(150, 1000).ULaw, ms*8)
		pb.listen()
		f.want(a, media.Latched)
		f.must(f.StopRecord(a))
		f.want(a, media.RecordEnded)
		for what, sound := range map[string][]int16{"bridged": pb.sound(), "recorded": readWAV(t, path, 1)[0]} {
			loud, gaps := 0, 0
			for i, level := range tone.Levels(sound, 1000) {
				switch {
				case level > -11:
					loud++
				case loud > 2 && loud < 145:
					gaps++
					t.Logf("%d ms, %s: %.1f dB in frame %d", ms, what, level, i)
				}
			}
			if loud < 148 || gaps > 0 {
				t.Errorf("%d ms, %s: %d of 150 frames are heard, with %d gaps", ms, what, loud, gaps)
			}
		}
		// A key in the middle of packets of any length.
		h := pa.header
		h.PayloadType, h.Marker = events, true
		pa.send(h, []byte{5, 0x8A, 3, 0x20})
		f.step(media.FrameDuration)
		f.wantDigits(a, media.ByEvent, "5")
		got := f.closeAndCount(a)
		if got.Lost != 0 || got.Late != 0 || got.Duplicate != 0 || got.Malformed != 0 || got.Concealed > 8 {
			t.Errorf("%d ms: figures %+v", ms, got)
		}
	}
}
