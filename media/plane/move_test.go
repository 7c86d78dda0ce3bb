// SPDX-License-Identifier: MIT

package plane

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
)

// A stream that moves keeps its run of packets, its prompt and its events in
// order, wherever it goes.
func TestMoveKeepsTime(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{Shards: 2})
	a, pa := f.call(media.PCMU)
	f.must(f.Play(a, prompt(400, 1000), media.PlayOptions{Loop: true}))
	f.step(40 * time.Millisecond)
	pa.drain()
	random := rand.New(rand.NewPCG(3, 4))
	for range 40 {
		f.Plane.mu.Lock()
		e := f.entries[a]
		to := f.shards[0]
		if e.shard == to {
			to = f.shards[1]
		}
		f.move(a, e, to)
		f.Plane.mu.Unlock()
		f.step(time.Duration(1+random.IntN(60)) * time.Millisecond)
	}
	f.step(media.FrameDuration)
	pa.listen()
	hearsOnly(t, pa, 1000, 440)
	if n, want := len(pa.heard), int(f.now/media.FrameDuration)-2; n < want-2 || n > want+2 {
		t.Errorf("%d packets in %d frames", n, want)
	}
}

// Streams are bridged this way and that over two shards that step at different
// times; at the end the last bridges hold, and each event came in order.
func TestBridgesAcrossShards(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		f := setup(t, Config{Shards: 2})
		var ids []media.StreamID
		var phones []*phone
		songs := map[*phone]float64{}
		for i := range 6 {
			id, p := f.call(media.Codec(i % 2 * 8))
			ids, phones = append(ids, id), append(phones, p)
			songs[p] = 500 + 300*float64(i)
		}
		random := rand.New(rand.NewPCG(seed, 5))
		token := make([]uint64, len(ids))
		for range 60 {
			a, b := random.IntN(len(ids)), random.IntN(len(ids))
			if a != b {
				f.must(f.Bridge(ids[a], ids[b]))
			}
			c := random.IntN(len(ids))
			token[c]++
			f.must(f.Play(ids[c], prompt(1, 440), media.PlayOptions{Token: token[c]}))
			if random.IntN(3) == 0 { // one shard alone gets ahead
				f.now += time.Millisecond
				f.shards[random.IntN(2)].step(f.now)
			}
		}
		f.step(media.FrameDuration)
		for i := range 3 {
			f.must(f.Bridge(ids[i], ids[5-i]))
		}
		f.run(10, songs)
		for _, p := range phones {
			p.heard = nil
		}
		f.run(30, songs)
		for i, p := range phones {
			hearsOnly(t, p, songs[phones[5-i]], songs[p])
		}
		for i, id := range ids {
			latched := false
			for next := uint64(1); next <= token[i]; {
				e := <-f.inbox[id]
				switch {
				case e.Kind == media.Latched && !latched:
					latched = true
				case e.Kind == media.PlayEnded && e.Token == next:
					next++
				default:
					t.Fatalf("seed %d, stream %d: event %+v, want the end of play %d", seed, id, e, next)
				}
			}
			if !latched {
				f.want(id, media.Latched)
			}
			f.quiet(id)
		}
		for i, s := range f.shards {
			if len(s.moving.coming) > 0 || len(s.moving.parked) > 0 {
				t.Errorf("shard %d still waits for %v, with %d commands", i, s.moving.coming, len(s.moving.parked))
			}
		}
	}
}
