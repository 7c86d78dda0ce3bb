// SPDX-License-Identifier: MIT

package plane

import (
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/recorder"
	"github.com/callwright/callwright/media/rtp"
)

// What follows are the acts that commands ask for. They run between two ticks.

// open takes in a new stream. It goes into the bin of the one it will be
// bridged with: stepping the two one after the other finds the memory of both
// still in the processor's cache.
func (s *shard) open(st stream, near media.StreamID) {
	i := s.streams.put(st)
	p := s.streams.at(i)
	p.self = i
	s.index[p.id] = i
	bin := s.emptiest()
	if n, ok := s.index[near]; ok {
		its := int(s.streams.at(n).life.bin)
		if len(s.bins[its]) < len(s.bins[bin])+unevenness {
			bin = its
		}
	}
	s.enter(p, bin)
}

// close ends all that goes on on a stream. It is gone when its recordings are
// complete.
func (s *shard) close(id media.StreamID) {
	st := s.streams.at(s.index[id])
	if st.remote.known {
		s.readReports(st)
		s.sendReport(st, true)
	}
	s.endPlay(st, false)
	s.unbridge(st)
	s.stopRecord(st)
	s.leave(st)
	st.life.closing = true
	if st.life.tapes == 0 {
		s.remove(st)
	}
}

// remove tells that a stream is gone; the teller closes its socket.
func (s *shard) remove(st *stream) {
	s.outbox.push(event{
		Event:   media.Event{Stream: st.id, Kind: media.Closed, At: s.timing.clock.Time(s.timing.now), Figures: s.figures(st)},
		order:   st.life.told,
		sockets: rtp.Pair{Sound: st.socket, Control: st.reports.socket},
	})
	s.ears.take(st.ear)
	s.finders.take(st.in.finder)
	s.packs.take(st.out.pack)
	s.secrets.take(st.secrets)
	s.nearby.take(st.remote.nearby)
	delete(s.index, st.id)
	s.streams.remove(st.self)
}

// emit tells what happened on a stream.
func (s *shard) emit(st *stream, e media.Event) {
	e.Stream = st.id
	e.At = s.timing.clock.Time(s.timing.now)
	s.outbox.push(event{Event: e, order: st.life.told})
	st.life.told++
}

func (s *shard) play(st *stream, prompt *media.Prompt, o media.PlayOptions) {
	s.endPlay(st, false)
	st.playing = playing{prompt: s.prompts.put(prompt), loop: o.Loop, token: o.Token}
}

func (s *shard) endPlay(st *stream, completed bool) {
	if st.playing.prompt == 0 {
		return
	}
	s.prompts.take(st.playing.prompt)
	s.emit(st, media.Event{Kind: media.PlayEnded, Token: st.playing.token, Completed: completed})
	st.playing = playing{}
}

func (s *shard) sendDigits(st *stream, digits string) {
	wasBusy := st.keys.Busy()
	err := st.keys.Queue(digits)
	if err != nil || (!wasBusy && !st.keys.Busy()) {
		// Too many at once, or none: there is nothing to wait for.
		s.emit(st, media.Event{Kind: media.DigitsSent, Err: err})
	}
}

func (s *shard) bridge(a, b media.StreamID, ears [2]*ear) {
	left, right := s.streams.at(s.index[a]), s.streams.at(s.index[b])
	if left.peer == right.self {
		return // what they have buffered of each other stays
	}
	s.unbridge(left)
	s.unbridge(right)
	left.peer, right.peer = right.self, left.self
	s.listen(left, ears[0])
	s.listen(right, ears[1])
}

func (s *shard) unbridge(st *stream) {
	if st.peer == 0 {
		return
	}
	other := s.streams.at(st.peer)
	st.peer, other.peer = 0, 0
	s.rest(st)
	s.rest(other)
}

// listen gives a stream an ear, if it has none.
func (s *shard) listen(st *stream, e *ear) {
	if st.ear == 0 {
		e.attune(st.remote.codec)
		st.ear = s.ears.put(e)
	}
}

// rest takes the ear away from a stream that nobody listens to any more.
func (s *shard) rest(st *stream) {
	if st.ear == 0 || st.peer != 0 || st.life.tape != 0 || st.in.finder != 0 {
		return
	}
	c := s.ears.take(st.ear).Counts
	st.ear = 0
	st.in.counts.late += c.Late + c.Skipped
	st.in.counts.concealed += c.Concealed
}

func (s *shard) record(st *stream, rec *recorder.Recording, e *ear) {
	s.stopRecord(st)
	st.life.tape = s.tapes.put(rec)
	st.life.tapes++
	st.life.paused = false
	s.listen(st, e)
}

// addToRecording records the frame that was heard and the one that was sent.
func (s *shard) addToRecording(st *stream) {
	if !st.remote.known || st.life.paused {
		return
	}
	if !s.tapes.at(st.life.tape).Add(st.remote.codec, s.said(st), &s.wire.sent) {
		s.stopRecord(st)
	}
}

func (s *shard) stopRecord(st *stream) {
	if st.life.tape == 0 {
		return
	}
	s.tapes.take(st.life.tape).Stop()
	st.life.tape = 0
	s.rest(st)
}

// recordEnded hears from the recorder that a file is complete, or that there
// will be none.
func (s *shard) recordEnded(st *stream, rec *recorder.Recording, token uint64, r recorder.Result) {
	if st.life.tape != 0 && s.tapes.at(st.life.tape) == rec {
		s.stopRecord(st) // it failed while it was running
	}
	st.life.tapes--
	s.emit(st, media.Event{Kind: media.RecordEnded, Token: token, Duration: r.Duration, Reason: r.Reason, Heard: r.Heard, Err: r.Err})
	if st.life.closing && st.life.tapes == 0 {
		s.remove(st)
	}
}
