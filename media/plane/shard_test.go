// SPDX-License-Identifier: MIT

package plane

import (
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/clock"
)

// The steady state of everything a stream does allocates nothing.
func TestStepAllocatesNothing(t *testing.T) {
	for name, prepare := range map[string]func(f *fixture) []*phone{
		"playing": func(f *fixture) []*phone {
			a, p := f.call(media.PCMU)
			f.must(f.Play(a, prompt(10, 1000), media.PlayOptions{Loop: true}))
			return []*phone{p}
		},
		"bridging": func(f *fixture) []*phone {
			a, p := f.call(media.PCMU)
			b, q := f.call(media.PCMU)
			f.must(f.Bridge(a, b))
			return []*phone{p, q}
		},
		"bridging across codecs": func(f *fixture) []*phone {
			a, p := f.call(media.PCMU)
			b, q := f.call(media.PCMA)
			f.must(f.Bridge(a, b))
			return []*phone{p, q}
		},
		"recording": func(f *fixture) []*phone {
			a, p := f.call(media.PCMA)
			f.must(f.Record(a, media.RecordOptions{Path: filepath.Join(f.t.TempDir(), "a.wav"), What: media.RecordStereo}))
			return []*phone{p}
		},
		"receiving digits": func(f *fixture) []*phone {
			_, p := f.call(media.PCMA)
			p.header.PayloadType = events
			return []*phone{p}
		},
		"looking for tones": func(f *fixture) []*phone {
			_, p := f.callInBand(media.PCMA)
			return []*phone{p}
		},
		"sending tones": func(f *fixture) []*phone {
			a, p := f.callInBand(media.PCMA)
			f.must(f.SendDigits(a, strings.Repeat("5", 64)))
			return []*phone{p}
		},
		"packets of 60 ms": func(f *fixture) []*phone {
			a, p := f.call(media.PCMA)
			r := p.remote()
			r.PacketTime = 60 * time.Millisecond
			f.must(f.Connect(a, r))
			return []*phone{p}
		},
		"packets of 10 ms": func(f *fixture) []*phone {
			a, p := f.call(media.PCMA)
			r := p.remote()
			r.PacketTime = 10 * time.Millisecond
			f.must(f.Connect(a, r))
			return []*phone{p}
		},
		"bridged, one muted": func(f *fixture) []*phone {
			a, pa := f.call(media.PCMU)
			b, pb := f.call(media.PCMA)
			f.must(f.Bridge(a, b))
			f.must(f.Mute(a, true))
			return []*phone{pa, pb}
		},
		"recorded until it is silent": func(f *fixture) []*phone {
			a, p := f.call(media.PCMA)
			f.must(f.Record(a, media.RecordOptions{Path: f.t.TempDir() + "/a.wav", Silence: time.Hour}))
			return []*phone{p}
		},
		"unlatched": func(f *fixture) []*phone {
			f.call(media.PCMA)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := setup(t, Config{})
			phones := prepare(f)
			packet := make([]byte, 172)
			// A key is held through all of it: its packets are told once.
			packet[12], packet[14], packet[15] = 5, 1, 64
			digits := len(phones) == 1 && phones[0].header.PayloadType == events
			var b [2048]byte
			round := func() {
				for _, p := range phones {
					h := p.header
					if digits {
						h.Timestamp = 0
					}
					h.Put(packet)
					p.header.Sequence++
					p.header.Timestamp += media.FrameSize
					_ = p.socket.SendTo(packet, p.server)
				}
				f.step(media.FrameDuration)
				for _, p := range phones {
					for n, e := p.socket.Recv(b[:]); e == 0; n, e = p.socket.Recv(b[:]) {
						_ = n
					}
				}
			}
			for range 60 {
				round()
			}
			if n := testing.AllocsPerRun(200, round); n != 0 {
				t.Errorf("%v allocations a frame", n)
			}
		})
	}
}

// A late shard catches up without leaving out a frame; a hopeless one goes on
// from now.
func TestLateShard(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	f.must(f.Play(id, prompt(400, 1000), media.PlayOptions{Loop: true}))
	f.step(100 * time.Millisecond)
	p.drain()
	f.now += 55 * time.Millisecond
	f.shards[0].step(f.now)
	f.step(45 * time.Millisecond)
	if n := p.drain(); n != 5 {
		t.Errorf("%d packets in 100 ms with 55 ms of delay, want 5", n)
	}
	f.now += time.Second
	f.shards[0].step(f.now)
	if n := p.drain(); n > 1 {
		t.Errorf("%d packets at once after a second of delay", n)
	}
	f.step(100 * time.Millisecond)
	if n := p.drain(); n < 5 || n > 6 {
		t.Errorf("%d packets in the next 100 ms", n)
	}
}

// Few streams or many: each is stepped once every 20 ms, and they are spread
// over all the bins.
func TestBins(t *testing.T) {
	t.Parallel()
	s := newShard(clock.New(), make(chan struct{}, 1))
	const many = crowded + 100
	for i := range many {
		s.open(stream{id: media.StreamID(i + 1)}, 0)
	}
	for bin, streams := range s.bins {
		if n := len(streams); n < many/bins || n > many/bins+1 {
			t.Errorf("%d streams in bin %d", n, bin)
		}
	}
	turns := func() (n int) {
		for i := range ref(many) {
			if st := s.streams.at(i + 1); st.id != 0 {
				n += int(st.out.timestamp) / media.FrameSize
			}
		}
		return n
	}
	now := time.Duration(-1) * time.Millisecond
	run := func(frames int) {
		for range frames * bins {
			now += time.Millisecond
			s.step(now)
		}
	}
	run(10)
	if got := turns(); got != 10*many {
		t.Errorf("%d turns of %d streams in 10 frames", got, many)
	}
	if s.timing.width != 1 {
		t.Error("a crowded shard still steps 5 bins at once")
	}
	for i := range many - 10 {
		st := s.streams.at(ref(i + 1))
		s.leave(st)
		delete(s.index, st.id)
		s.streams.remove(st.self)
	}
	before := turns()
	run(10)
	if got := turns() - before; got != 10*10 {
		t.Errorf("%d turns of 10 streams in 10 frames", got)
	}
	if s.timing.width != coarse {
		t.Error("a calm shard still steps each bin by itself")
	}
}

// A stream is stepped right after the one it will be bridged with, unless too
// many would be.
func TestNear(t *testing.T) {
	t.Parallel()
	s := newShard(clock.New(), make(chan struct{}, 1))
	for i := range media.StreamID(100) {
		s.open(stream{id: i + 1}, i*(i%2)) // each second one belongs to the one before
	}
	for id := media.StreamID(1); id < 100; id += 2 {
		a, b := s.streams.at(s.index[id]), s.streams.at(s.index[id+1])
		if a.life.bin != b.life.bin {
			t.Errorf("streams %d and %d are in bins %d and %d", id, id+1, a.life.bin, b.life.bin)
		}
	}
	for i := range media.StreamID(1000) {
		s.open(stream{id: i + 1000}, 1)
	}
	for bin, streams := range s.bins {
		if n := len(streams); n < 1100/bins-unevenness || n > 1100/bins+unevenness {
			t.Errorf("%d streams in bin %d", n, bin)
		}
	}
}

// Whatever the reader does, the outbox loses nothing, keeps the order and never
// makes the shard wait.
func TestOutboxOverflows(t *testing.T) {
	t.Parallel()
	o := &outbox{wake: make(chan struct{}, 1)}
	const all = 5 * outboxSize
	for i := range all {
		o.push(event{order: uint32(i)})
		if i%7 == 0 {
			o.flush()
		}
	}
	if len(o.spill) != all-outboxSize {
		t.Errorf("%d events wait on the shard's side", len(o.spill))
	}
	for i := 0; i < all; i++ {
		e, ok := o.take()
		if !ok {
			o.flush()
			e, ok = o.take()
		}
		if !ok || e.order != uint32(i) {
			t.Fatalf("event %d: %v %v", i, e.order, ok)
		}
	}
	if _, ok := o.take(); ok {
		t.Error("an event too many")
	}
}

// A slow Deliver holds up neither the shard nor other events for good.
func TestSlowDeliver(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	hang := make(chan struct{})
	var got []uint64
	id, at, err := f.Open(media.StreamOptions{Deliver: func(e media.Event) {
		<-hang
		if e.Kind == media.PlayEnded {
			got = append(got, e.Token)
		}
	}})
	f.must(err)
	p := newPhone(t, media.PCMU, at)
	f.must(f.Connect(id, p.remote()))
	const plays = 3 * outboxSize
	for i := range uint64(plays) {
		f.must(f.Play(id, prompt(1, 440), media.PlayOptions{Token: i}))
	}
	f.step(time.Second) // nobody reads events, and yet:
	if n := p.drain(); n < 49 {
		t.Errorf("%d packets in a second", n)
	}
	close(hang)
	f.close()
	if len(got) != plays {
		t.Fatalf("%d of %d events came", len(got), plays)
	}
	for i, token := range got {
		if token != uint64(i) {
			t.Fatalf("event %d is of play %d", i, token)
		}
	}
}

// Everybody does everything at once, on the real clock.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	p, err := New(Config{Listen: netip.MustParseAddr("127.0.0.1"), Ports: "0", Shards: 2, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	last := map[media.StreamID]media.EventKind{}
	told := map[media.EventKind]int{}
	sound := prompt(3, 440)
	folder := t.TempDir()
	for g := range 4 {
		wg.Go(func() {
			for i := range 8 {
				var ids [2]media.StreamID
				for k := range ids {
					id, at, err := p.Open(media.StreamOptions{Deliver: func(e media.Event) {
						mu.Lock()
						defer mu.Unlock()
						if last[e.Stream] == media.Closed {
							t.Errorf("event %+v after Closed", e)
						}
						last[e.Stream] = e.Kind
						told[e.Kind]++
					}})
					if err != nil {
						t.Error(err)
						return
					}
					ids[k] = id
					err = p.Connect(id, media.Remote{Addr: at, Codec: media.Codec(8 * k), TelephoneEvent: uint8(i % 2 * events), Send: true, Receive: true,
						PacketTime: time.Duration(i%3*20) * time.Millisecond})
					if err != nil {
						t.Error(err)
					}
				}
				path := filepath.Join(folder, string(rune('a'+g))+string(rune('a'+i))+".wav")
				for _, err := range []error{
					p.Bridge(ids[0], ids[1]),
					p.Play(ids[0], sound, media.PlayOptions{Loop: i%2 == 0}),
					p.Record(ids[1], media.RecordOptions{Path: path, What: media.RecordStereo}),
					p.SendDigits(ids[0], "12"),
					p.Unbridge(ids[1]),
					p.StopRecord(ids[1]),
					p.Bridge(ids[1], ids[0]),
				} {
					if err != nil {
						t.Error(err)
					}
				}
				if text, err := p.Describe(ids[0]); err != nil || text == "" {
					t.Errorf("%q, %v", text, err)
				}
				if i%2 == 0 {
					if err := p.CloseStream(ids[0]); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	p.Close()
	if len(last) != 64 {
		t.Errorf("%d streams told something", len(last))
	}
	for id, kind := range last {
		if kind != media.Closed {
			t.Errorf("the last event of stream %d is of kind %d", id, kind)
		}
	}
	if told[media.Closed] != 64 || told[media.PlayEnded] != 32 || told[media.RecordEnded] != 32 {
		t.Errorf("events of each kind: %v, want 64 closed, 32 plays and 32 recordings ended", told)
	}
	for i, s := range p.shards {
		if len(s.index) > 0 || len(s.streams.free) != int(s.streams.size) || s.load != 0 ||
			len(s.prompts.free) != len(s.prompts.items) || len(s.ears.free) != len(s.ears.items) || len(s.tapes.free) != len(s.tapes.items) ||
			len(s.finders.free) != len(s.finders.items) || len(s.packs.free) != len(s.packs.items) {
			t.Errorf("shard %d still has something of %d streams", i, s.streams.size)
		}
	}
}
