// SPDX-License-Identifier: MIT

package plane

import (
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/rtp"
	"github.com/callwright/callwright/media/srtp"
)

var suites = []media.Suite{media.AES128SHA1x80, media.AES128SHA1x32, media.AES128GCM}

// keysOf makes keys whose bytes count up from first.
func keysOf(s media.Suite, first byte) *media.Keys {
	key, salt := s.Lengths()
	b := make([]byte, key+salt)
	for i := range b {
		b[i] = first + byte(i)
	}
	return &media.Keys{Suite: s, Key: b[:key], Salt: b[key:]}
}

// spy is a phone with a key, which keeps what it has sent.
type spy struct {
	*phone
	sealer   *srtp.Sealer
	unsealer *srtp.Unsealer
	sent     [][]byte
	deaf     int // packets that it could not decrypt
}

// has gives the spy its key and the stream's. Nil leaves what it has.
func (p *spy) has(own, streams *media.Keys) {
	p.t.Helper()
	var err error
	if own != nil {
		if p.sealer, err = srtp.NewSealer(own); err != nil {
			p.t.Fatal(err)
		}
	}
	if streams != nil {
		if p.unsealer, err = srtp.NewUnsealer(streams); err != nil {
			p.t.Fatal(err)
		}
	}
}

// say sends the next 20 ms of a tone, encrypted.
func (p *spy) say() {
	p.t.Helper()
	b := make([]byte, rtp.HeaderSize+media.FrameSize, 300)
	p.header.Put(b)
	p.header.Sequence++
	p.header.Timestamp += media.FrameSize
	sealed, err := p.sealer.SealRTP(b)
	if err != nil {
		p.t.Fatal(err)
	}
	p.sent = append(p.sent, slices.Clone(sealed))
	p.raw(sealed)
}

// hear decrypts what has come.
func (p *spy) hear() {
	p.t.Helper()
	var b [2048]byte
	for {
		n, _, e := p.socket.RecvFrom(b[:])
		if e != 0 {
			return
		}
		packet, err := p.unsealer.UnsealRTP(b[:n])
		if err != nil {
			p.deaf++
			continue
		}
		h, payload, err := p.parser.Parse(packet)
		if err != nil {
			p.t.Fatalf("the plane sent %x: %v", packet, err)
		}
		p.heard = append(p.heard, heard{h, slices.Clone(payload)})
	}
}

// secretCall connects a stream with a spy.
func (f *fixture) secretCall(s media.Suite) (media.StreamID, *spy, media.Remote) {
	f.t.Helper()
	id, at := f.open()
	p := &spy{phone: newPhone(f.t, media.PCMU, at)}
	r := p.remote()
	r.Ours, r.Theirs = keysOf(s, 1), keysOf(s, 101)
	p.has(r.Theirs, r.Ours)
	f.must(f.Connect(id, r))
	return id, p, r
}

// talk lets a spy and the stream talk for some frames.
func (f *fixture) talk(p *spy, frames int) {
	f.t.Helper()
	for range frames {
		p.say()
		f.step(media.FrameDuration)
		p.hear()
	}
}

// figuresOf are the counts of a stream as they are.
func (f *fixture) figuresOf(id media.StreamID) (figures media.Figures) {
	for _, s := range f.shards {
		if i, ok := s.index[id]; ok {
			figures = s.figures(s.streams.at(i))
		}
	}
	return figures
}

// What goes on with the same keys goes on as it was, also over the beginning of
// the numbers, from shard to shard, and when it is settled again with keys that
// are equal: nothing is lost, and nothing that came can come again.
func TestSecretsGoOn(t *testing.T) {
	t.Parallel()
	for _, suite := range suites {
		f := setup(t, Config{Shards: 2})
		id, p, r := f.secretCall(suite)
		f.talk(p, 20) // its numbers begin again at the sixth
		r.Ours, r.Theirs = keysOf(suite, 1), keysOf(suite, 101)
		r.Send = false
		f.must(f.Connect(id, r))
		f.talk(p, 5)
		r.Send = true
		f.must(f.Connect(id, r))
		f.talk(p, 5)
		f.Plane.mu.Lock()
		e := f.entries[id]
		to := f.shards[0]
		if e.shard == to {
			to = f.shards[1]
		}
		f.move(id, e, to)
		f.Plane.mu.Unlock()
		f.talk(p, 20)
		if n := f.figuresOf(id); n.Received != 50 || n.Refused != 0 || n.Duplicate != 0 || n.Lost != 0 || n.Suite != suite.String() {
			t.Errorf("%v: %+v", suite, n)
		}
		if p.deaf != 0 || len(p.heard) < 43 || len(p.heard) > 46 {
			t.Errorf("%v: the peer could decrypt %d packets and not %d", suite, len(p.heard), p.deaf)
		}
		for _, h := range p.heard[1:] {
			if h.SSRC != p.heard[0].SSRC {
				t.Errorf("%v: the source has changed", suite)
				break
			}
		}
		for _, packet := range p.sent {
			p.raw(packet)
		}
		f.step(100 * time.Millisecond)
		if n := f.figuresOf(id); n.Received != 50 || n.Refused != 50 || n.Duplicate != 0 {
			t.Errorf("%v: sent again: %+v", suite, n)
		}
		f.must(f.CloseStream(id))
	}
}

// When any key changes, or the peer's place, the stream goes on as another
// source, so that a peer that begins anew can decrypt it.
func TestSecretsChange(t *testing.T) {
	t.Parallel()
	for _, suite := range suites {
		f := setup(t, Config{})
		id, p, r := f.secretCall(suite)
		f.talk(p, 5)
		for _, step := range []struct {
			what   string
			change func()
		}{
			{"our key", func() { r.Ours = keysOf(suite, 7); p.has(nil, r.Ours) }},
			{"its key", func() { r.Theirs = keysOf(suite, 90); p.has(r.Theirs, r.Ours) }},
			{"both", func() { r.Ours, r.Theirs = keysOf(suite, 8), keysOf(suite, 91); p.has(r.Theirs, r.Ours) }},
			{"its place", func() {
				p.phone = newPhone(t, media.PCMU, p.server.AddrPort())
				r.Addr = p.at
				p.has(r.Theirs, r.Ours)
			}},
		} {
			p.hear()
			source := p.heard[len(p.heard)-1].SSRC
			step.change()
			f.must(f.Connect(id, r))
			f.step(media.FrameDuration)
			p.hear()
			was, deaf := f.figuresOf(id).Refused, p.deaf
			p.heard = nil
			f.talk(p, 10)
			if len(p.heard) < 9 || p.deaf != deaf || f.figuresOf(id).Refused != was {
				t.Errorf("%v: %s: the peer heard %d packets and %d not, the stream refused %d", suite, step.what, len(p.heard), p.deaf-deaf, f.figuresOf(id).Refused-was)
				continue
			}
			if h := p.heard[0]; h.SSRC == source || h.Sequence >= 1<<15+20 {
				t.Errorf("%v: %s: goes on as %+v", suite, step.what, h.Header)
			}
		}
	}
}

// What was on its way when the peer took another key is still taken, for a second.
func TestEarlierKey(t *testing.T) {
	t.Parallel()
	for _, suite := range suites {
		f := setup(t, Config{})
		id, p, r := f.secretCall(suite)
		f.talk(p, 5)
		earlier := p.sealer
		r.Theirs = keysOf(suite, 60)
		f.must(f.Connect(id, r))
		f.talk(p, 5)
		p.has(r.Theirs, nil)
		f.talk(p, 5)
		if n := f.figuresOf(id); n.Received != 15 || n.Refused != 0 {
			t.Errorf("%v: while keys change: %+v", suite, n)
		}
		p.raw(p.sent[2])
		f.step(media.FrameDuration)
		if n := f.figuresOf(id); n.Received != 15 || n.Refused != 1 {
			t.Errorf("%v: sent again: %+v", suite, n)
		}
		f.talk(p, 60)
		p.sealer = earlier
		f.talk(p, 5)
		if n := f.figuresOf(id); n.Received != 75 || n.Refused != 6 {
			t.Errorf("%v: long after: %+v", suite, n)
		}
	}
}

// Who does not have the key is not heard, cannot take the stream to itself and is
// no sign of life; who has it is followed to wherever it goes.
func TestOnlyTheKeyCounts(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, at := f.open()
	p, eve := &spy{phone: newPhone(t, media.PCMU, at)}, &spy{phone: newPhone(t, media.PCMU, at)}
	r := p.remote()
	r.Ours, r.Theirs = keysOf(media.AES128GCM, 1), keysOf(media.AES128GCM, 2)
	p.has(r.Theirs, r.Ours)
	eve.has(keysOf(media.AES128GCM, 3), r.Ours)
	f.must(f.Connect(id, r))
	for range 10 {
		eve.say()
		eve.sing(440) // in the clear
		f.step(media.FrameDuration)
	}
	f.quiet(id)
	if n := f.figuresOf(id); n.Received != 0 || n.Refused != 20 || n.Malformed != 0 {
		t.Errorf("a stranger: %+v", n)
	}
	eve.hear()
	if len(eve.heard) != 0 {
		t.Error("a stranger hears")
	}
	f.talk(p, 10)
	if e := f.want(id, media.Latched); e.Source != p.at {
		t.Errorf("latched to %v, want %v", e.Source, p.at)
	}
	// The peer falls silent and comes from elsewhere, as another source even.
	f.step(time.Second)
	p.socket = newPhone(t, media.PCMU, at).socket
	p.header.SSRC, p.header.Sequence = 77, 1
	p.hear()
	p.heard = nil
	f.talk(p, 5)
	if len(p.heard) < 3 {
		t.Errorf("%d packets have followed the peer", len(p.heard))
	}
	if e := f.want(id, media.Latched); e.Source.Port() != p.socket.Port() {
		t.Errorf("latched to %v", e.Source)
	}
}

// A stream may be encrypted later, and not any more later still, and never with
// the same numbers under the same key.
func TestEncryptedForAWhile(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p, r := f.secretCall(media.AES128SHA1x80)
	sources := map[uint32]bool{}
	for range 3 {
		p.has(r.Theirs, r.Ours)
		p.header.SSRC++
		f.must(f.Connect(id, r))
		p.heard = nil
		f.talk(p, 5)
		if len(p.heard) < 4 || sources[p.heard[0].SSRC] {
			t.Fatalf("heard %+v", p.heard)
		}
		sources[p.heard[0].SSRC] = true
		plain := r
		plain.Ours, plain.Theirs = nil, nil
		f.must(f.Connect(id, plain))
		f.step(media.FrameDuration)
		p.hear()
		p.heard = nil
		f.run(5, map[*phone]float64{p.phone: 440})
		if len(p.heard) < 4 || f.figuresOf(id).Suite != "" {
			t.Errorf("%d packets in the clear", len(p.heard))
		}
	}
	r.Theirs = nil
	if err := f.Connect(id, r); err == nil {
		t.Error("one side alone encrypts")
	}
	r.Ours, r.Theirs = &media.Keys{}, &media.Keys{}
	if err := f.Connect(id, r); err == nil {
		t.Error("keys of no suite were taken")
	}
}

// Packets of 10, 40 and 60 ms are encrypted as well, and keys that are pressed.
func TestSecretPacketTimes(t *testing.T) {
	t.Parallel()
	for _, suite := range suites {
		for _, wish := range []time.Duration{10, 40, 60} {
			f := setup(t, Config{})
			id, p, r := f.secretCall(suite)
			r.PacketTime = wish * time.Millisecond
			f.must(f.Connect(id, r))
			f.must(f.SendDigits(id, "5"))
			f.step(time.Second)
			p.hear()
			whole, keys := 0, 0
			for _, h := range p.heard {
				switch {
				case h.PayloadType == events:
					keys++
				case len(h.payload) == int(wish)*8:
					whole++
				}
			}
			if p.deaf != 0 || keys < 3 || whole < int(700/wish) {
				t.Errorf("%v: %d ms: %d packets of sound and %d of keys, %d not decrypted", suite, wish, whole, keys, p.deaf)
			}
		}
	}
}
