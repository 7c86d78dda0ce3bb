// SPDX-License-Identifier: MIT

package plane

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/rtp"
	"github.com/callwright/callwright/media/tone"
)

// settle is how many frames may pass until a bridge carries sound: the jitter
// buffer's wait, and each side's place in the frame.
const settle = 6

// hearsOnly fails unless a phone hears one tone at level, without a gap, and
// not its own.
func hearsOnly(t *testing.T, p *phone, hz, own float64) {
	t.Helper()
	sound := p.sound()
	hears(t, "bridge", sound, hz)
	for i, level := range tone.Levels(sound, own) {
		if level > -40 {
			t.Fatalf("a phone hears its own %g Hz at %.1f dB in frame %d", own, level, i)
		}
	}
	for i := 1; i < len(p.heard); i++ {
		was, is := p.heard[i-1], p.heard[i]
		if is.Sequence != was.Sequence+1 || is.Timestamp != was.Timestamp+media.FrameSize || is.SSRC != was.SSRC {
			t.Fatalf("packet %d: %+v follows %+v", i, is.Header, was.Header)
		}
	}
}

func TestBridge(t *testing.T) {
	t.Parallel()
	for name, codecs := range map[string][2]media.Codec{
		"mu-law":         {media.PCMU, media.PCMU},
		"a-law":          {media.PCMA, media.PCMA},
		"mu-law a-law":   {media.PCMU, media.PCMA},
		"different slot": {media.PCMA, media.PCMU},
	} {
		for _, shards := range []int{1, 2} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				f := setup(t, Config{Shards: shards})
				a, pa := f.call(codecs[0])
				b, pb := f.call(codecs[1])
				songs := map[*phone]float64{pa: 1000, pb: 440}
				f.run(7, songs)
				f.must(f.Bridge(a, b))
				f.run(settle, songs)
				pa.heard, pb.heard = nil, nil
				f.run(200, songs)
				if len(pa.heard) != 200 || len(pb.heard) != 200 {
					t.Errorf("heard %d and %d packets in 200 frames", len(pa.heard), len(pb.heard))
				}
				hearsOnly(t, pa, 440, 1000)
				hearsOnly(t, pb, 1000, 440)
				for _, id := range []media.StreamID{a, b} {
					f.want(id, media.Latched)
					f.must(f.CloseStream(id))
				}
				for _, id := range []media.StreamID{a, b} {
					f.step(20 * time.Millisecond)
					if e := f.want(id, media.Closed); e.Figures.Concealed+e.Figures.Late > 2 {
						t.Errorf("figures %+v", e.Figures)
					}
				}
			})
		}
	}
}

// The network shakes the packets of both sides by up to 30 ms; the other side
// hears no gap once the buffers have learned it.
func TestBridgeOverShakyNetwork(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	a, pa := f.call(media.PCMU)
	b, pb := f.call(media.PCMU)
	f.must(f.Bridge(a, b))
	random := rand.New(rand.NewPCG(1, 2))
	due := [2]int{}
	for ms := range 8000 {
		for i, p := range []*phone{pa, pb} {
			for due[i] <= ms { // the next packet is due, plus a delay
				p.sing(1000)
				due[i] = p.sample/8 + random.IntN(30)
			}
		}
		f.step(time.Millisecond)
		if ms == 4000 {
			pa.drain()
			pb.drain()
		}
	}
	pa.listen()
	pb.listen()
	for _, p := range []*phone{pa, pb} {
		if n := len(p.heard); n < 199 || n > 201 {
			t.Errorf("%d packets in 4 s", n)
		}
		for i, level := range tone.Levels(p.sound(), 1000) {
			if level < -13 {
				t.Errorf("a gap in frame %d: %.1f dB", i, level)
			}
		}
	}
}

func TestPlayOnBridgedStream(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	a, pa := f.call(media.PCMU)
	b, pb := f.call(media.PCMA)
	f.must(f.Bridge(a, b))
	songs := map[*phone]float64{pa: 1000, pb: 440}
	f.run(settle, songs)
	f.must(f.Play(a, prompt(50, 2000), media.PlayOptions{}))
	pa.heard, pb.heard = nil, nil
	f.run(50, songs)
	hears(t, "the prompt, in place of the peer", pa.sound(), 2000)
	hearsOnly(t, pb, 1000, 440) // the other side goes on hearing the peer
	f.run(1, songs)
	pa.heard = nil
	f.run(50, songs)
	hearsOnly(t, pa, 440, 1000) // and so does this one, in time as ever
}

func TestUnbridgeAndClose(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	a, pa := f.call(media.PCMU)
	b, pb := f.call(media.PCMU)
	c, pc := f.call(media.PCMU)
	songs := map[*phone]float64{pa: 1000, pb: 440, pc: 2000}
	silence := func(what string, p *phone) {
		t.Helper()
		f.run(1, songs)
		p.heard = nil
		f.run(20, songs)
		if len(p.heard) != 20 {
			t.Errorf("%s: %d packets in 20 frames", what, len(p.heard))
		}
		for _, v := range p.sound() {
			if v > 8 || v < -8 {
				t.Fatalf("%s: sample %d", what, v)
			}
		}
	}
	f.must(f.Bridge(a, b))
	f.run(settle, songs)
	f.must(f.Unbridge(b))
	f.must(f.Unbridge(b))
	silence("unbridged", pa)
	silence("unbridged", pb)

	f.must(f.Bridge(a, b))
	f.run(settle, songs)
	f.must(f.Bridge(a, c)) // leaves b
	f.run(settle, songs)
	pa.heard, pc.heard = nil, nil
	f.run(20, songs)
	hearsOnly(t, pa, 2000, 1000)
	hearsOnly(t, pc, 1000, 2000)
	silence("left by its peer", pb)

	f.must(f.CloseStream(c))
	silence("peer closed", pa)
	for i, s := range f.shards[0].ears.items {
		if s != nil {
			t.Errorf("ear %d was not given back", i)
		}
	}
}

// A peer may code as it likes, as long as it said so in the header.
func TestBridgeOfMixedCodecs(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	a, pa := f.call(media.PCMU)
	b, pb := f.call(media.PCMU)
	f.must(f.Bridge(a, b))
	for i := range 60 {
		pa.codec = media.Codec(i / 7 % 2 * 8)
		pa.header.PayloadType = uint8(pa.codec)
		f.run(1, map[*phone]float64{pa: 1000})
		if i == settle {
			pb.drain()
		}
	}
	pb.listen()
	hearsOnly(t, pb, 1000, 440)
}

func TestBridgeBeforeConnect(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{Shards: 2})
	a, at := f.open()
	b, bt := f.open()
	f.must(f.Bridge(a, b))
	f.step(100 * time.Millisecond)
	pa, pb := newPhone(t, media.PCMA, at), newPhone(t, media.PCMU, bt)
	f.must(f.Connect(b, pb.remote()))
	f.must(f.Connect(a, pa.remote()))
	songs := map[*phone]float64{pa: 1000, pb: 440}
	f.run(settle, songs)
	pa.heard, pb.heard = nil, nil
	f.run(20, songs)
	hearsOnly(t, pa, 440, 1000)
	hearsOnly(t, pb, 1000, 440)
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	describe := func(id media.StreamID) string {
		f.step(coarse * time.Millisecond)
		s := f.shards[0]
		return s.describe(s.streams.at(s.index[id]))
	}
	a, _ := f.open()
	if got := describe(a); got != "not connected" {
		t.Errorf("new stream: %q", got)
	}
	b, pb := f.call(media.PCMA)
	f.must(f.Play(b, prompt(500, 440), media.PlayOptions{}))
	f.must(f.Record(b, media.RecordOptions{Path: t.TempDir() + "/a.wav"}))
	want := "pcma " + pb.at.String() + " <- prompt 440.wav; -> recorder"
	if got := describe(b); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	f.must(f.StopPlay(b))
	f.must(f.Bridge(b, a))
	want = "pcma " + pb.at.String() + " <- stream 1; -> stream 1 + recorder"
	if got := describe(b); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	f.must(f.SendDigits(b, "1"))
	r := pb.remote()
	r.Send = false
	f.must(f.Connect(b, r))
	if got := describe(b); !strings.Contains(got, "<- digits (held)") {
		t.Errorf("%q", got)
	}
}

// streams with any number of frames in a packet hear each other.
func TestBridgePacketTimes(t *testing.T) {
	t.Parallel()
	for _, ms := range []int{10, 30, 40, 60} {
		f := setup(t, Config{})
		a, pa := f.call(media.PCMU)
		b, pb := f.call(media.PCMU)
		f.must(f.Bridge(a, b))
		source := prompt(400, 1000).ULaw
		for now := 0; now < 4000; now++ {
			if now%ms == 0 {
				size := 8 * ms
				h := rtp.Header{SSRC: 5, Sequence: uint16(now / ms), Timestamp: uint32(now * 8)}
				if at := now * 8; at+size <= len(source) {
					pa.send(h, source[at:at+size])
				}
			}
			f.step(time.Millisecond)
			if now == 300 {
				pb.drain()
			}
		}
		pb.listen()
		hears(t, fmt.Sprint(ms, " ms bridged"), pb.sound()[:180*media.FrameSize], 1000)
	}
}
