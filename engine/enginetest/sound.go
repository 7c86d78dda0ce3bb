// SPDX-License-Identifier: MIT

package enginetest

import (
	"fmt"
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
	did     []string
}

type play struct {
	token uint64
	timer *time.Timer // nil for a loop
}

func newSound() *Sound {
	return &Sound{legs: map[media.StreamID]*Leg{}, playing: map[media.StreamID]*play{}}
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

// open gives the leg of a stream; nil if it has ended. mu is held.
func (s *Sound) open(id media.StreamID) *Leg {
	leg := s.legs[id]
	if leg == nil || leg.over() {
		return nil
	}
	return leg
}

// SendDigits notes "digits" with the leg and the keys.
func (s *Sound) SendDigits(id media.StreamID, keys string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.legs[id] == nil {
		return media.ErrNoStream
	}
	s.note("digits %s %s", s.legs[id].name, keys)
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

var _ engine.Sound = (*Sound)(nil)
