// SPDX-License-Identifier: MIT

package plane

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/dtmf"
	"github.com/callwright/callwright/media/rtp"
	"github.com/callwright/callwright/media/tone"
)

func TestConnectedStreamSendsSilence(t *testing.T) {
	t.Parallel()
	for _, c := range []media.Codec{media.PCMU, media.PCMA} {
		f := setup(t, Config{})
		id, at := f.open()
		p := newPhone(t, c, at)
		f.step(100 * time.Millisecond)
		if n := len(p.listen()); n != 0 {
			t.Errorf("%d packets before Connect", n)
		}
		f.must(f.Connect(id, p.remote()))
		f.step(200 * time.Millisecond)
		got := p.listen()
		if len(got) < 10 || len(got) > 11 {
			t.Fatalf("%d packets in 200 ms", len(got))
		}
		for i, h := range got {
			first := got[0].Header
			want := rtp.Header{
				Marker: i == 0, PayloadType: uint8(c), SSRC: first.SSRC,
				Sequence: first.Sequence + uint16(i), Timestamp: first.Timestamp + uint32(i*media.FrameSize),
			}
			if h.Header != want || !bytes.Equal(h.payload, bytes.Repeat([]byte{codec.Silence(c)}, media.FrameSize)) {
				t.Fatalf("packet %d: %+v, want %+v, with silence", i, h, want)
			}
		}
	}
}

func TestPlay(t *testing.T) {
	t.Parallel()
	for _, c := range []media.Codec{media.PCMU, media.PCMA} {
		f := setup(t, Config{})
		id, p := f.call(c)
		f.step(100 * time.Millisecond)
		p.listen()
		before := len(p.heard)
		f.must(f.Play(id, prompt(25, 1000), media.PlayOptions{Token: 7}))
		f.step(600 * time.Millisecond)
		p.listen()
		if e := f.want(id, media.PlayEnded); e.Token != 7 || !e.Completed {
			t.Errorf("event %+v", e)
		}
		for i, h := range p.heard {
			if h.Marker != (i == 0 || i == before) {
				t.Errorf("packet %d: marker %v", i, h.Marker)
			}
		}
		sound := p.sound()[before*media.FrameSize:]
		hears(t, "prompt", sound[:25*media.FrameSize], 1000)
		for i, level := range tone.Levels(sound[25*media.FrameSize:], 1000) {
			if level > -60 {
				t.Errorf("after the prompt: %v dB in frame %d", level, i)
			}
		}
	}
}

func TestPlayLoopsAndIsReplaced(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMA)
	f.must(f.Play(id, prompt(4, 1000), media.PlayOptions{Token: 1, Loop: true})) // 4 frames hold whole cycles
	f.step(time.Second)
	p.listen()
	hears(t, "looped", p.sound(), 1000)
	f.quiet(id)

	f.must(f.Play(id, prompt(100, 440), media.PlayOptions{Token: 2}))
	f.step(100 * time.Millisecond)
	if e := f.want(id, media.PlayEnded); e.Token != 1 || e.Completed {
		t.Errorf("event %+v", e)
	}
	f.must(f.StopPlay(id))
	f.must(f.StopPlay(id)) // nothing to stop
	f.step(100 * time.Millisecond)
	if e := f.want(id, media.PlayEnded); e.Token != 2 || e.Completed {
		t.Errorf("event %+v", e)
	}
	f.quiet(id)
}

func TestPlayEdges(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, _ := f.call(media.PCMU)
	f.must(f.Play(id, &media.Prompt{Name: "empty"}, media.PlayOptions{Token: 3}))
	f.step(40 * time.Millisecond)
	if e := f.want(id, media.PlayEnded); e.Token != 3 || !e.Completed {
		t.Errorf("empty prompt: event %+v", e)
	}
	if err := f.Play(id, &media.Prompt{ULaw: make([]byte, 100), ALaw: make([]byte, 100)}, media.PlayOptions{}); err == nil {
		t.Error("a prompt of half a frame was taken")
	}
}

func TestHold(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	f.run(5, map[*phone]float64{p: 440})
	f.want(id, media.Latched)
	r := p.remote()
	r.Send, r.Receive = false, false
	f.must(f.Connect(id, r))
	f.step(20 * time.Millisecond)
	n := len(p.listen())
	p.send(rtp.Header{PayloadType: events, SSRC: 9}, []byte{5, 0, 0, 160})
	f.step(200 * time.Millisecond)
	if more := len(p.listen()); more != n {
		t.Errorf("%d packets sent to a peer on hold", more-n)
	}
	f.quiet(id) // the key was not heard
	last := p.heard[n-1]
	f.must(f.Connect(id, p.remote()))
	f.step(20 * time.Millisecond)
	back := p.listen()[n]
	if back.SSRC != last.SSRC || back.Sequence != last.Sequence+1 || (back.Timestamp-last.Timestamp)%media.FrameSize != 0 ||
		back.Timestamp-last.Timestamp < 8*media.FrameSize {
		t.Errorf("after hold %+v follows %+v", back.Header, last.Header)
	}
}

func TestDigitsAreCountedOnce(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	// A key as phones send it: updates, the end three times, and a retransmission.
	for k, key := range []byte{1, 2, 2, 11} {
		h := rtp.Header{PayloadType: events, SSRC: 1, Timestamp: uint32(k * 4000), Sequence: uint16(k * 20), Marker: true}
		for i := range 8 {
			end := byte(0)
			if i >= 5 {
				end = 0x80
			}
			p.send(h, []byte{key, end | 10, byte(i), 0})
			p.send(h, []byte{key, end | 10, byte(i), 0}) // the network doubles it
			h.Sequence++
			h.Marker = false
			f.step(media.FrameDuration)
		}
	}
	f.want(id, media.Latched)
	for _, want := range []byte("122#") {
		if e := f.want(id, media.Digit); e.Digit != want {
			t.Errorf("digit %c, want %c", e.Digit, want)
		}
	}
	f.quiet(id)
}

// A peer that makes every packet a key, as no hand does, cannot have each of
// them told; one that types is heard again afterwards.
func TestKeysOfNoHand(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	f.run(1, map[*phone]float64{p: 1000})
	f.want(id, media.Latched)
	told := func() (n int) {
		for f.sync(); len(f.inbox[id]) > 0; n++ {
			f.want(id, media.Digit)
		}
		return n
	}
	press := func() {
		p.header.Sequence++
		p.header.Timestamp += media.FrameSize
		p.send(rtp.Header{PayloadType: events, SSRC: p.header.SSRC, Sequence: p.header.Sequence, Timestamp: p.header.Timestamp}, []byte{5, 0x8A, 1, 64})
	}
	n := 0
	for range 50 {
		for range burst {
			press()
		}
		f.step(media.FrameDuration)
		n += told()
	}
	if n < 40 || n > 70 {
		t.Errorf("%d keys told in a second", n)
	}
	f.step(2 * keysLate)
	for range 20 {
		press()
	}
	f.step(media.FrameDuration)
	if n := told(); n != 20 {
		t.Errorf("%d keys told of 20 that came late", n)
	}
}

func TestSendDigits(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	a, pa := f.call(media.PCMU)
	b, pb := f.call(media.PCMA)
	f.must(f.SendDigits(a, "5*D"))
	for range 50 { // the phone passes on what it gets
		f.step(media.FrameDuration)
		for _, h := range pa.listen()[pb.sample:] {
			pb.sample++
			h.SSRC = 77
			pb.send(h.Header, h.payload)
		}
	}
	f.want(a, media.DigitsSent)
	var latched media.Event
	if latched = f.want(b, media.Latched); latched.Source != pb.at {
		t.Errorf("latched to %v, want %v", latched.Source, pb.at)
	}
	for _, want := range []byte("5*D") {
		if e := f.want(b, media.Digit); e.Digit != want {
			t.Errorf("digit %c, want %c", e.Digit, want)
		}
	}
	many := strings.Repeat("1", dtmf.QueueSize)
	f.must(f.SendDigits(a, many))
	f.must(f.SendDigits(a, many))
	f.step(media.FrameDuration)
	if e := f.want(a, media.DigitsSent); !errors.Is(e.Err, dtmf.ErrQueueFull) {
		t.Errorf("too many keys: event %+v", e)
	}
	if err := f.SendDigits(a, "5x"); err == nil {
		t.Error("x was taken for a key")
	}
}

func TestNoStream(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	f.must(f.CloseStream(id))
	for what, err := range map[string]error{
		"connect":   f.Connect(id, p.remote()),
		"play":      f.Play(id, prompt(1, 440), media.PlayOptions{}),
		"stop play": f.StopPlay(99),
		"bridge":    f.Bridge(id, 99),
		"unbridge":  f.Unbridge(id),
		"record":    f.Record(id, media.RecordOptions{}),
		"stop":      f.StopRecord(id),
		"digits":    f.SendDigits(id, "1"),
		"close":     f.CloseStream(id),
	} {
		if err == nil || !errors.Is(err, media.ErrNoStream) {
			t.Errorf("%s: %v, want ErrNoStream", what, err)
		}
	}
	if err := f.Bridge(id, id); err == nil {
		t.Error("a stream was bridged with itself")
	}
}

func TestPortsComeBack(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{Ports: "31100-31105"})
	var ids []media.StreamID
	var ports []uint16
	for range 3 {
		id, at := f.open()
		ids, ports = append(ids, id), append(ports, at.Port())
	}
	if _, _, err := f.Open(media.StreamOptions{}); !errors.Is(err, rtp.ErrNoPorts) {
		t.Errorf("fourth stream: %v, want ErrNoPorts", err)
	}
	for _, i := range []int{1, 0, 2} {
		f.must(f.CloseStream(ids[i]))
		f.want(ids[i], media.Closed)
	}
	var again []uint16
	for range 3 {
		_, at := f.open()
		again = append(again, at.Port())
	}
	if want := []uint16{ports[1], ports[0], ports[2]}; !slices.Equal(again, want) {
		t.Errorf("ports %v, want the longest free first: %v", again, want)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	before := openFiles(t)
	for range 3 {
		p, err := New(Config{Listen: netip.MustParseAddr("127.0.0.1"), Ports: "0", Shards: 2, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		closed := make(chan media.Event, 100)
		var ids []media.StreamID
		for range 4 {
			id, at, err := p.Open(media.StreamOptions{Deliver: func(e media.Event) {
				if e.Kind == media.Closed {
					closed <- e
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
			for _, err := range []error{
				p.Connect(id, media.Remote{Addr: at, Codec: media.PCMU, Send: true, Receive: true}),
				p.Play(id, prompt(50, 440), media.PlayOptions{Loop: true}),
				p.Record(id, media.RecordOptions{Path: fmt.Sprintf("%s/%d.wav", t.TempDir(), id), What: media.RecordStereo}),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := p.Bridge(ids[0], ids[1]); err != nil {
			t.Fatal(err)
		}
		if err := p.Bridge(ids[2], ids[3]); err != nil {
			t.Fatal(err)
		}
		p.Close()
		p.Close()
		if len(closed) != len(ids) {
			t.Errorf("%d Closed events for %d streams", len(closed), len(ids))
		}
		if _, _, err := p.Open(media.StreamOptions{}); !errors.Is(err, ErrClosed) {
			t.Errorf("open after close: %v", err)
		}
	}
	if after := openFiles(t); after != before {
		t.Errorf("%d open files before, %d after", before, after)
	}
}

// openFiles counts the open files of this process.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here to count files in")
	}
	return len(entries)
}
