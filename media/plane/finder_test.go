// SPDX-License-Identifier: MIT

package plane

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/dtmf"
	"github.com/callwright/callwright/media/rtp"
	"github.com/callwright/callwright/media/tone"
)

// keysAsTones is the sound of keys, as long as 8 frames each.
func keysAsTones(t *testing.T, c media.Codec, digits string) (sound []byte) {
	t.Helper()
	var s dtmf.Sender
	if err := s.Queue(digits); err != nil {
		t.Fatal(err)
	}
	for s.Busy() {
		p, _ := s.Step(0, true)
		sound = append(sound, p.Tones.Coded(c)[:]...)
	}
	return sound
}

// say sends sound in packets of a number of samples, in time, and then a second
// of silence.
func (f *fixture) say(p *phone, sound []byte, packet int) {
	f.t.Helper()
	sound = append(slices.Clone(sound), slices.Repeat([]byte{codec.Silence(p.codec)}, media.SampleRate)...)
	for sent := 0; len(sound) >= packet; sent += packet {
		p.send(p.header, sound[:packet])
		sound = sound[packet:]
		p.header.Sequence++
		p.header.Timestamp += uint32(packet)
		ms := time.Duration((sent+packet)/8-sent/8) * time.Millisecond
		f.step(ms)
	}
}

// wantDigits waits for keys in order, and that no more come.
func (f *fixture) wantDigits(id media.StreamID, way media.DigitWay, digits string) {
	f.t.Helper()
	for _, want := range []byte(digits) {
		if e := f.want(id, media.Digit); e.Digit != want || e.Way != way {
			f.t.Fatalf("digit %c by %v, want %c by %v", e.Digit, e.Way, want, way)
		}
	}
	f.quiet(id)
}

// Keys are heard in the sound of a peer without telephone-event, whatever its
// packets are like.
func TestKeysAsTones(t *testing.T) {
	t.Parallel()
	const digits = "0123456789*#ABCD11"
	for _, c := range []media.Codec{media.PCMU, media.PCMA} {
		for _, packet := range []int{80, 100, 160, 240, 320, 400, 480} {
			f := setup(t, Config{})
			id, p := f.callInBand(c)
			f.say(p, keysAsTones(t, c, digits), packet)
			f.want(id, media.Latched)
			f.wantDigits(id, media.ByTone, digits)
		}
	}
}

// A peer that has agreed to telephone-event has its tones left alone: it would
// count twice if both were believed.
func TestTonesBesideEvents(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	tones := keysAsTones(t, p.codec, "123")
	f.say(p, tones, media.FrameSize)
	f.want(id, media.Latched)
	f.quiet(id)
	if s := f.shards[0]; len(s.finders.items) != 0 || len(s.ears.items) != 0 {
		t.Error("the stream has memory for what it does not listen to")
	}

	// A re-INVITE may take the events away, and bring them back.
	r := p.remote()
	r.TelephoneEvent = 0
	f.must(f.Connect(id, r))
	f.say(p, tones, media.FrameSize)
	f.wantDigits(id, media.ByTone, "123")
	f.must(f.Connect(id, p.remote()))
	f.say(p, tones, media.FrameSize)
	f.quiet(id)
	if s := f.shards[0]; s.finders.items[0] != nil || s.ears.items[0] != nil {
		t.Error("the stream has kept what it does not need")
	}
}

// A packet that is lost or comes late in the middle of a key neither hides nor
// doubles it.
func TestTonesOverBadNetwork(t *testing.T) {
	t.Parallel()
	const digits = "1159#0"
	for lost := range 8 {
		f := setup(t, Config{})
		id, p := f.callInBand(media.PCMU)
		f.say(p, nil, media.FrameSize)
		f.want(id, media.Latched)
		sound := append(keysAsTones(t, p.codec, digits), slices.Repeat([]byte{0xFF}, media.SampleRate)...)
		for i := 0; len(sound) > 0; i++ {
			h := p.header
			if i%8 != lost {
				p.send(h, sound[:media.FrameSize])
				p.send(h, sound[:media.FrameSize]) // and doubled
			}
			sound = sound[media.FrameSize:]
			p.header.Sequence++
			p.header.Timestamp += media.FrameSize
			f.step(media.FrameDuration)
		}
		f.wantDigits(id, media.ByTone, digits)
	}
}

// A held peer that is not to send is not listened to.
func TestTonesOnHold(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.callInBand(media.PCMU)
	r := p.remote()
	r.TelephoneEvent, r.Receive = 0, false
	f.must(f.Connect(id, r))
	f.say(p, keysAsTones(t, p.codec, "1"), media.FrameSize)
	f.quiet(id)
	if s := f.shards[0]; s.finders.items[0] != nil || s.ears.items[0] != nil {
		t.Error("the stream has kept what it does not need")
	}
}

// A stream that looks for keys can be bridged, recorded and moved as any other.
func TestTonesOnBridgedStream(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{Shards: 2})
	a, pa := f.callInBand(media.PCMU)
	b, pb := f.callInBand(media.PCMA)
	f.must(f.Record(b, media.RecordOptions{Path: filepath.Join(t.TempDir(), "b.wav")}))
	f.must(f.Bridge(a, b))
	f.run(settle, map[*phone]float64{pa: 1000, pb: 440})
	f.want(a, media.Latched)
	f.want(b, media.Latched)
	f.say(pb, keysAsTones(t, pb.codec, "42"), media.FrameSize)
	f.wantDigits(b, media.ByTone, "42")
	f.must(f.Unbridge(a))
	f.must(f.StopRecord(b))
	f.want(b, media.RecordEnded)
	f.say(pb, keysAsTones(t, pb.codec, "7"), media.FrameSize)
	f.wantDigits(b, media.ByTone, "7")
	f.quiet(a)
}

// Keys are sent as tones to a peer that has not agreed to telephone-event, in
// place of what it would hear else.
func TestSendDigitsAsTones(t *testing.T) {
	t.Parallel()
	for _, c := range []media.Codec{media.PCMU, media.PCMA} {
		f := setup(t, Config{})
		a, pa := f.callInBand(c)
		b, pb := f.callInBand(c)
		f.must(f.Play(a, prompt(500, 2000), media.PlayOptions{Loop: true}))
		f.step(100 * time.Millisecond)
		pa.drain()
		f.must(f.SendDigits(a, "15*D"))
		for range 60 { // the phone passes on what it gets
			f.step(media.FrameDuration)
			for _, h := range pa.listen()[pb.sample:] {
				pb.sample++
				pb.send(h.Header, h.payload)
			}
		}
		f.want(a, media.DigitsSent)
		f.want(b, media.Latched)
		f.wantDigits(b, media.ByTone, "15*D")
		sound := pa.sound()
		for i, level := range tone.Levels(sound[:4*8*media.FrameSize], 2000) {
			if level > -50 {
				t.Errorf("%v: the prompt is heard at %.1f dB in frame %d of the keys", c, level, i)
			}
		}
		hears(t, "prompt", sound[4*8*media.FrameSize:], 2000)
		for i := 1; i < len(pa.heard); i++ {
			was, is := pa.heard[i-1].Header, pa.heard[i].Header
			want := rtp.Header{PayloadType: uint8(c), SSRC: was.SSRC, Sequence: was.Sequence + 1, Timestamp: was.Timestamp + media.FrameSize}
			if is != want {
				t.Fatalf("packet %d: %+v, want %+v", i, is, want)
			}
		}
		f.quiet(a)
	}
}

// A re-INVITE that brings telephone-event takes effect with the next key.
func TestSendDigitsOnceEventsAreAgreedOn(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	a, pa := f.callInBand(media.PCMU)
	f.must(f.SendDigits(a, "1"))
	f.step(60 * time.Millisecond)
	f.must(f.Connect(a, pa.remote())) // telephone-event from now on
	f.must(f.SendDigits(a, "2"))
	f.step(400 * time.Millisecond)
	f.want(a, media.DigitsSent)
	var got []string
	for _, h := range pa.listen() {
		got = append(got, fmt.Sprint(h.PayloadType))
	}
	if n := len(slices.DeleteFunc(got, func(s string) bool { return s != fmt.Sprint(events) })); n != 7 {
		t.Errorf("%d packets of telephone-event for one key, want 7", n)
	}
	f.quiet(a)
}

// What comes back of the keys that we send as tones, over a gateway to an old
// telephone line, are no keys of the peer's; those that it presses later are.
func TestEchoOfTones(t *testing.T) {
	t.Parallel()
	const far = 18 // frames that the echo is on its way
	f := setup(t, Config{})
	id, p := f.callInBand(media.PCMU)
	f.run(20, map[*phone]float64{p: 1000})
	f.want(id, media.Latched)
	p.drain()
	f.must(f.SendDigits(id, "15#55"))
	line := slices.Repeat([]byte{codec.Silence(media.PCMU)}, far*media.FrameSize)
	for range 100 {
		p.header.Sequence++
		p.header.Timestamp += media.FrameSize
		p.send(p.header, line[:media.FrameSize])
		line = line[media.FrameSize:]
		f.step(media.FrameDuration)
		for _, h := range p.listen() {
			line = append(line, h.payload...)
		}
		p.heard = nil
	}
	f.want(id, media.DigitsSent)
	f.quiet(id)
	f.say(p, keysAsTones(t, media.PCMU, "15#55"), media.FrameSize)
	f.wantDigits(id, media.ByTone, "15#55")
}
