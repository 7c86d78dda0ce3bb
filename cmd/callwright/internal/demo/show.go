// SPDX-License-Identifier: MIT

package demo

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/server"
	"github.com/callwright/callwright/cmd/callwright/internal/timeline"
	"github.com/callwright/callwright/engine"
)

// show prints what happens, with the time since the beginning, and remembers
// what the calls went through.
type show struct {
	lines *timeline.Printer

	mu      sync.Mutex
	calls   []engine.ID // in the order in which they came about
	events  []engine.Event
	changed chan struct{} // closed and made anew with each event
}

func newShow(out io.Writer) *show {
	return &show{lines: timeline.Since(time.Now(), out), changed: make(chan struct{})}
}

// say prints a line.
func (s *show) say(who, format string, args ...any) { s.lines.Say(who, format, args...) }

// follow prints the events of all calls, as they are stored, until ctx ends.
func (s *show) follow(ctx context.Context, feed server.Store) {
	err := feed.Follow(ctx, 0, func(_ int64, e engine.Event) error {
		s.event(e)
		return nil
	})
	if ctx.Err() == nil {
		s.say("callwright", "the timeline broke off: %s", err)
	}
}

func (s *show) event(e engine.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.calls, e.Call)
	if i < 0 {
		i = len(s.calls)
		s.calls = append(s.calls, e.Call)
	}
	s.lines.Event(fmt.Sprintf("call %d", i+1), e)
	s.events = append(s.events, e)
	close(s.changed)
	s.changed = make(chan struct{})
}

// await waits until every call there was has ended and its app was told of the
// end, and gives the first call and everything that happened.
func (s *show) await(ctx context.Context) (engine.ID, []engine.Event, error) {
	for {
		s.mu.Lock()
		first, events, changed := s.calls, slices.Clone(s.events), s.changed
		s.mu.Unlock()
		ended, told := 0, false
		for _, e := range events {
			if e.Kind == engine.EventEnded {
				ended++
			}
			told = told || e.Kind == engine.EventReply && e.Data.Name == "hangup"
		}
		if told && ended == len(first) {
			return first[0], events, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return engine.ID{}, nil, fmt.Errorf("%d of %d calls have ended, the hangup event was told: %t: %w",
				ended, len(first), told, context.Cause(ctx))
		}
	}
}
