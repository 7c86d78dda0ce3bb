// SPDX-License-Identifier: MIT

package demo

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store/sqlite"
)

// show prints what happens, with the time since the beginning, and remembers
// what the calls went through.
type show struct {
	out   io.Writer
	start time.Time

	mu      sync.Mutex
	calls   []engine.ID // in the order in which they came about
	events  []engine.Event
	changed chan struct{} // closed and made anew with each event
}

func newShow(out io.Writer) *show {
	return &show{out: out, start: time.Now(), changed: make(chan struct{})}
}

// say prints a line.
func (s *show) say(who, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line(time.Now(), who, fmt.Sprintf(format, args...))
}

func (s *show) line(at time.Time, who, text string) {
	fmt.Fprintf(s.out, "%7.3f  %-10s  %s\n", at.Sub(s.start).Seconds(), who, text)
}

// follow prints the events of all calls, as they are stored, until ctx ends.
func (s *show) follow(ctx context.Context, feed *sqlite.Store) {
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
	s.line(e.At, fmt.Sprintf("call %d", i+1), fmt.Sprintf("%-8s  %s", e.Kind, e.Text))
	if e.Kind == engine.EventRequest || e.Kind == engine.EventReply {
		for line := range strings.Lines(strings.TrimSpace(e.Data.Body)) {
			fmt.Fprintf(s.out, "%31s%s\n", "", strings.TrimRight(line, "\n"))
		}
	}
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
