// SPDX-License-Identifier: MIT

package plane

import (
	"net/netip"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/recorder"
)

// moving is what a shard knows of streams on their way to it. Commands about
// them, and later ones about any stream that such a command is about, wait
// until they are here. As all commands are in one order over all shards, each
// waits only for earlier ones, and so never for itself.
type moving struct {
	coming map[media.StreamID]struct{}
	parked []command
}

// parcel is a stream on its way, with what it had in the tables of its shard.
type parcel struct {
	stream stream
	prompt *media.Prompt
	ear    *ear
	finder *finder
	pack   *pack
	tape   *recorder.Recording
	keys   *secrets
	nearby []netip.Prefix
}

// move sends a stream to another shard. The plane's lock is held, so that the
// stream's next command goes to the new one, where it waits for the stream.
func (p *Plane) move(id media.StreamID, e *entry, to *shard) {
	ids := [2]media.StreamID{id}
	to.send(command{ids: ids, do: func(s *shard) { s.moving.coming[id] = struct{}{} }})
	e.shard.send(command{ids: ids, do: func(s *shard) {
		parcel := s.pack(id)
		to.send(command{do: func(s *shard) { s.unpack(parcel) }})
	}})
	e.shard.load--
	to.load++
	e.shard = to
}

// obey carries out what was asked for.
func (s *shard) obey() {
	for n := s.commands.Take(); n != nil; n = n.Next() {
		s.do(n.Value)
	}
}

func (s *shard) do(c command) {
	if len(s.moving.coming) > 0 && s.waits(c) {
		s.moving.parked = append(s.moving.parked, c)
		return
	}
	c.do(s)
}

// waits says whether a command is about a stream that is not here yet, or about
// one that an earlier waiting command is about.
func (s *shard) waits(c command) bool {
	for _, id := range c.ids {
		if id == 0 {
			continue
		}
		if _, ok := s.moving.coming[id]; ok {
			return true
		}
		for _, earlier := range s.moving.parked {
			if earlier.ids[0] == id || earlier.ids[1] == id {
				return true
			}
		}
	}
	return false
}

// pack takes a stream out of the shard, between two ticks.
func (s *shard) pack(id media.StreamID) *parcel {
	st := s.streams.at(s.index[id])
	s.unbridge(st)
	s.leave(st)
	p := &parcel{
		stream: *st,
		prompt: s.prompts.take(st.playing.prompt),
		ear:    s.ears.take(st.ear),
		finder: s.finders.take(st.in.finder),
		pack:   s.packs.take(st.out.pack),
		tape:   s.tapes.take(st.life.tape),
		keys:   s.secrets.take(st.secrets),
		nearby: s.nearby.take(st.remote.nearby),
	}
	delete(s.index, id)
	s.streams.remove(st.self)
	return p
}

// unpack takes a stream in. It keeps its place in time: all shards count the
// bins on one clock.
func (s *shard) unpack(p *parcel) {
	i := s.streams.put(p.stream)
	st := s.streams.at(i)
	st.self = i
	st.playing.prompt, st.ear, st.in.finder, st.out.pack, st.life.tape, st.secrets, st.remote.nearby = 0, 0, 0, 0, 0, 0, 0
	if p.prompt != nil {
		st.playing.prompt = s.prompts.put(p.prompt)
	}
	if p.nearby != nil {
		st.remote.nearby = s.nearby.put(p.nearby)
	}
	if p.ear != nil {
		st.ear = s.ears.put(p.ear)
	}
	if p.finder != nil {
		st.in.finder = s.finders.put(p.finder)
	}
	if p.pack != nil {
		st.out.pack = s.packs.put(p.pack)
	}
	if p.tape != nil {
		st.life.tape = s.tapes.put(p.tape)
	}
	if p.keys != nil {
		st.secrets = s.secrets.put(p.keys)
	}
	s.index[st.id] = i
	s.enter(st, int(st.life.bin))
	for late := s.timing.next - st.life.due; late > 0 && late < hopeless; late -= media.FrameDuration {
		s.stepStream(st) // its turn went by on the way
	}
	delete(s.moving.coming, st.id)
	parked := s.moving.parked
	s.moving.parked = nil
	for _, c := range parked {
		s.do(c)
	}
}
