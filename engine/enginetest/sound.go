// SPDX-License-Identifier: MIT

package enginetest

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
)

// Sound is a plane without sound: a play ends when its prompt would.
type Sound struct {
	mu      sync.Mutex
	legs    map[media.StreamID]*Leg
	playing map[media.StreamID]*play
	taping  map[media.StreamID]media.RecordOptions
	stopped map[media.StreamID][]media.RecordOptions // their files are not complete
	did     []string
}

type play struct {
	token uint64
	timer *time.Timer // nil for a loop
}

func newSound() *Sound {
	return &Sound{
		legs: map[media.StreamID]*Leg{}, playing: map[media.StreamID]*play{},
		taping: map[media.StreamID]media.RecordOptions{}, stopped: map[media.StreamID][]media.RecordOptions{},
	}
}

// Play notes "play" with the leg and the prompt's name.
func (s *Sound) Play(id media.StreamID, p *media.Prompt, o media.PlayOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	leg := s.open(id)
	if leg == nil {
		return media.ErrNoStream
	}
	s.note("play %s %s", leg.name, p.Name)
	s.end(id)
	current := &play{token: o.Token}
	s.playing[id] = current
	if !o.Loop {
		current.timer = time.AfterFunc(p.Duration(), func() { s.completed(id, current) })
	}
	return nil
}

func (s *Sound) completed(id media.StreamID, p *play) {
	s.mu.Lock()
	current := s.playing[id] == p
	if current {
		delete(s.playing, id)
	}
	leg := s.legs[id]
	s.mu.Unlock()
	if current {
		leg.Emit(engine.LegMedia{Event: media.Event{Stream: id, Kind: media.PlayEnded, Token: p.token, Completed: true}})
	}
}

// StopPlay notes "stop" with the leg.
func (s *Sound) StopPlay(id media.StreamID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	leg := s.open(id)
	if leg == nil {
		return media.ErrNoStream
	}
	s.note("stop %s", leg.name)
	s.end(id)
	return nil
}

// end is called with mu held.
func (s *Sound) end(id media.StreamID) {
	p := s.playing[id]
	if p == nil {
		return
	}
	delete(s.playing, id)
	if p.timer != nil {
		p.timer.Stop()
	}
	s.legs[id].Emit(engine.LegMedia{Event: media.Event{Stream: id, Kind: media.PlayEnded, Token: p.token}})
}

// Bridge notes "bridge" with both legs.
func (s *Sound) Bridge(a, b media.StreamID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open(a) == nil || s.open(b) == nil {
		return media.ErrNoStream
	}
	s.note("bridge %s %s", s.legs[a].name, s.legs[b].name)
	return nil
}

// Mute notes "mute" or "unmute" with the leg.
func (s *Sound) Mute(id media.StreamID, on bool) error {
	if on {
		return s.tape(id, "mute")
	}
	return s.tape(id, "unmute")
}

// Unbridge notes "unbridge" with the leg.
func (s *Sound) Unbridge(id media.StreamID) error { return s.tape(id, "unbridge") }

// open gives the leg of a stream; nil if it has ended. mu is held.
func (s *Sound) open(id media.StreamID) *Leg {
	leg := s.legs[id]
	if leg == nil || leg.over() {
		return nil
	}
	return leg
}

// Record notes "record" with the leg. What is recorded is told by StopRecord and
// Recorded.
func (s *Sound) Record(id media.StreamID, o media.RecordOptions) error {
	if err := s.tape(id, "record"); err != nil {
		return err
	}
	s.Recorded(id, media.Event{Duration: time.Second, Heard: time.Second})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taping[id] = o
	return nil
}

// Recorded ends the recording of a stream, if there is one: ev says how long it is
// and why it ended.
func (s *Sound) Recorded(id media.StreamID, ev media.Event) {
	s.mu.Lock()
	o, ok := s.taping[id]
	delete(s.taping, id)
	leg := s.legs[id]
	s.mu.Unlock()
	if ok {
		ev.Stream, ev.Kind, ev.Token = id, media.RecordEnded, o.Token
		leg.Emit(engine.LegMedia{Event: ev})
	}
}

// PauseRecord notes "pause" or "resume" with the leg.
func (s *Sound) PauseRecord(id media.StreamID, pause bool) error {
	if pause {
		return s.tape(id, "pause")
	}
	return s.tape(id, "resume")
}

// filing is how long it takes until the file of a recording that was stopped is
// complete.
const filing = 10 * time.Millisecond

// StopRecord notes "stop recording" with the leg, and tells it a moment later that
// the recording has ended.
func (s *Sound) StopRecord(id media.StreamID) error {
	if err := s.tape(id, "stop recording"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if o, ok := s.taping[id]; ok {
		delete(s.taping, id)
		s.stopped[id] = append(s.stopped[id], o)
		time.AfterFunc(filing, func() { s.file(id) })
	}
	return nil
}

// file completes the files of recordings that were stopped.
func (s *Sound) file(id media.StreamID) {
	s.mu.Lock()
	stopped, leg := s.stopped[id], s.legs[id]
	delete(s.stopped, id)
	s.mu.Unlock()
	for _, o := range stopped {
		leg.Emit(engine.LegMedia{Event: media.Event{
			Stream: id, Kind: media.RecordEnded, Token: o.Token, Duration: time.Second, Heard: time.Second,
		}})
	}
}

// LookAtRecording finds a second of sound in every file.
func (s *Sound) LookAtRecording(path string) (length, heard time.Duration, err error) {
	if _, err := os.Stat(path); err != nil {
		return 0, 0, err
	}
	return time.Second, time.Second, nil
}

func (s *Sound) tape(id media.StreamID, what string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	leg := s.open(id)
	if leg == nil {
		return media.ErrNoStream
	}
	s.note("%s %s", what, leg.name)
	return nil
}

// note is called with mu held.
func (s *Sound) note(format string, args ...any) { s.did = append(s.did, fmt.Sprintf(format, args...)) }

// Did lists what the engine had the plane do.
func (s *Sound) Did() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.did...)
}

var (
	_ engine.Sound    = (*Sound)(nil)
	_ engine.Recorder = (*Sound)(nil)
)
