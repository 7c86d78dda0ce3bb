// SPDX-License-Identifier: MIT

package plane

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/rtp"
	"github.com/callwright/callwright/media/tone"
)

// missing gives how many of the last frames that a phone should have heard are
// without the tone at level.
func missing(p *phone, frames int, hz float64) int {
	p.t.Helper()
	p.listen()
	for _, level := range tone.Levels(p.sound(), hz) {
		if level > -11 {
			frames--
		}
	}
	return frames
}

// A peer that sends comfort noise while it is silent is heard as silent; none
// of it is lost, made up or malformed.
func TestComfortNoise(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	a, pa := f.call(media.PCMU)
	b, pb := f.call(media.PCMA)
	path := filepath.Join(t.TempDir(), "a.wav")
	f.must(f.Bridge(a, b))
	f.must(f.Record(a, media.RecordOptions{Path: path}))
	songs := map[*phone]float64{pa: 1000}
	received := 0
	pause := func(frames int) {
		for i := range frames {
			if i%10 == 0 { // it is told again, when it changes
				h := pa.header
				h.PayloadType = comfortNoise
				pa.send(h, []byte{60, 20, 30})
				pa.header.Sequence++
				received++
			}
			pa.header.Timestamp += media.FrameSize
			f.step(media.FrameDuration)
			pb.listen()
		}
	}
	pause(1)
	if e := f.want(a, media.Latched); e.Source != pa.at {
		t.Errorf("comfort noise latched the stream to %v", e.Source)
	}
	for _, frames := range []int{1, 2, 5, 50, 200} {
		f.run(50, songs)
		received += 50
		pause(frames)
	}
	f.must(f.StopRecord(a))
	f.want(a, media.RecordEnded)
	pb.listen()
	for what, sound := range map[string][]int16{"bridged": pb.sound(), "recorded": readWAV(t, path, 1)[0]} {
		loud := 0
		for i := 0; i+media.FrameSize <= len(sound); i += media.FrameSize {
			frame := sound[i : i+media.FrameSize]
			switch level := tone.Level(frame, 1000); {
			case level > -11:
				loud++
			case level > -50:
				t.Errorf("%s: frame %d is neither the tone nor silence: %.1f dB", what, i/media.FrameSize, level)
			}
		}
		if loud != 250 {
			t.Errorf("%s: %d frames of the tone, want 250", what, loud)
		}
	}
	got := f.closeAndCount(a)
	if got.Received != uint64(received) || got.Lost+got.Late+got.Concealed+got.Malformed+got.Foreign != 0 {
		t.Errorf("figures %+v, want %d received and nothing lost or made up", got, received)
	}
}

// A peer that becomes another source in the middle is heard on, and what is
// counted begins anew.
func TestSSRCChanges(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	a, pa := f.call(media.PCMU)
	b, pb := f.call(media.PCMU)
	f.must(f.Bridge(a, b))
	songs := map[*phone]float64{pa: 1000}
	f.run(settle+10, songs)
	f.want(a, media.Latched)
	press := func(key byte) {
		h := pa.header
		h.PayloadType, h.Marker = events, true
		for range 3 {
			pa.send(h, []byte{key, 0x80, 3, 0x20})
			h.Sequence++
			h.Marker = false
		}
		pa.header.Sequence = h.Sequence
	}
	for i := range uint32(10) {
		key := byte(i)
		press(key)
		held := pa.header.Timestamp
		pa.header = rtp.Header{SSRC: 100 + i, Sequence: uint16(i) * 9999, Timestamp: i * 0x31415926}
		f.run(3, songs)
		h := pa.header // the key is told on by the new source
		h.PayloadType, h.Timestamp = events, held
		pa.send(h, []byte{key, 0x80, 3, 0x20})
		pa.header.Sequence++
		pb.drain()
		f.run(50, songs)
		if n := missing(pb, 50, 1000); n > 3 {
			t.Errorf("change %d: %d of 50 frames are missing", i, n)
		}
		f.wantDigits(a, media.ByEvent, string('0'+key))
	}
	got := f.closeAndCount(a)
	if got.Lost != 0 || got.Duplicate != 0 || got.Late != 0 || got.Received < 10*53 || got.Jitter > 2*time.Millisecond {
		t.Errorf("figures %+v", got)
	}
}

// Packets that name another source do not throw the stream over: sound that
// went astray is not heard, and keys of a source of their own are counted.
func TestStraySSRC(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	a, pa := f.call(media.PCMU)
	b, pb := f.call(media.PCMU)
	f.must(f.Bridge(a, b))
	songs := map[*phone]float64{pa: 1000}
	f.run(settle, songs)
	f.want(a, media.Latched)
	pb.drain()
	loud := make([]byte, media.FrameSize)
	for i := range uint32(100) {
		pa.send(rtp.Header{SSRC: 0xDEAD, Marker: i%3 == 0, Sequence: uint16(i * 777), Timestamp: i * 0x1234567}, loud)
		f.run(1, songs)
	}
	// As sipp sends keys while it plays a file.
	for key := range byte(12) {
		for i := range uint16(5) {
			h := rtp.Header{SSRC: 0xBEEF, PayloadType: events, Marker: i == 0, Sequence: uint16(key)*5 + i, Timestamp: uint32(key) * 400}
			end := byte(0)
			if i >= 2 {
				end = 0x80
			}
			pa.send(h, []byte{key, end, 3, 0x20})
			f.run(1, songs)
		}
	}
	if n := missing(pb, 160, 1000); n != 0 || len(pb.heard) != 160 {
		t.Errorf("%d of %d frames are missing", n, len(pb.heard))
	}
	f.wantDigits(a, media.ByEvent, "0123456789*#")
	got := f.closeAndCount(a)
	if got.Lost+got.Duplicate+got.Late+got.Concealed+got.Foreign+got.Malformed != 0 || got.Received != settle+100+160+60 {
		t.Errorf("figures %+v", got)
	}
}

// The same when the keys come before any sound, as from a script that dials
// first.
func TestKeysOfAnotherSourceFirst(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	a, pa := f.call(media.PCMU)
	b, pb := f.call(media.PCMU)
	f.must(f.Bridge(a, b))
	for i := range uint16(3) {
		pa.send(rtp.Header{SSRC: 0xBEEF, PayloadType: events, Marker: i == 0, Sequence: i}, []byte{1, 0x80, 3, 0x20})
		f.step(media.FrameDuration)
	}
	f.want(a, media.Latched)
	f.wantDigits(a, media.ByEvent, "1")
	pb.drain()
	f.run(50, map[*phone]float64{pa: 1000})
	if n := missing(pb, 50, 1000); n > 2 { // the wait of the jitter buffer
		t.Errorf("%d of 50 frames are missing", n)
	}
}

// A re-INVITE to another address, codec and packet time: the new phone is heard
// and hears at once, and the old one no more.
func TestReinviteMovesSound(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	a, old := f.call(media.PCMU)
	b, pb := f.call(media.PCMU)
	f.must(f.Bridge(a, b))
	songs := map[*phone]float64{old: 1000, pb: 440}
	f.run(50, songs)
	f.want(a, media.Latched)
	fresh := newPhone(t, media.PCMA, old.server.AddrPort())
	fresh.header.SSRC, fresh.header.Sequence, fresh.header.Timestamp = 77, 1, 1
	r := fresh.remote()
	r.PacketTime = 40 * time.Millisecond
	f.must(f.Connect(a, r))
	f.step(media.FrameDuration)
	old.drain()
	pb.drain()
	songs[fresh] = 2000 // and the old one goes on
	f.run(2, songs)
	if !f.isHeard(a, fresh) {
		t.Error("the first packet of the new phone was not heard")
	}
	f.run(18, songs)
	if e := f.want(a, media.Latched); e.Source != fresh.at {
		t.Errorf("latched to %v", e.Source)
	}
	if n := missing(pb, 20, 2000); n > 4 {
		t.Errorf("%d of the first 20 frames of the new phone are missing", n)
	}
	fresh.heard = nil
	pb.heard = nil
	f.run(100, songs)
	if n := old.drain(); n != 0 {
		t.Errorf("the old phone is sent %d packets", n)
	}
	hearsOnly(t, pb, 2000, 1000)
	inOrder(t, fresh.heard, 2*media.FrameSize)
	hears(t, "the new phone", fresh.sound(), 440)

	// Held, it neither hears nor is heard, and comes back as it was.
	r.Send, r.Receive = false, false
	f.must(f.Connect(a, r))
	f.run(10, songs)
	fresh.heard, pb.heard = nil, nil
	f.run(50, songs)
	if n := missing(pb, 50, 2000); n != 50 || len(fresh.heard) != 0 {
		t.Errorf("held: %d of 50 frames are silent, %d packets are sent", n, len(fresh.heard))
	}
	r.Send, r.Receive = true, true
	f.must(f.Connect(a, r))
	f.run(settle, songs)
	fresh.heard, pb.heard = nil, nil
	f.run(50, songs)
	hearsOnly(t, pb, 2000, 1000)
	hears(t, "the new phone, back", fresh.sound(), 440)
	f.quiet(a)
}
