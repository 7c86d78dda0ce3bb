// SPDX-License-Identifier: MIT

package enginetest

import (
	"fmt"
	"sync"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
)

// Leg is a leg whose other side is the test.
type Leg struct {
	stream media.StreamID
	name   string
	trunk  string
	sound  *Sound

	mu      sync.Mutex
	deliver func(engine.LegEvent)
	early   []engine.LegEvent
	did     []string
	gone    bool
	// Silent has Hangup wait for End: the other side does not answer.
	silent bool
}

// Info names the leg's stream.
func (l *Leg) Info() engine.LegInfo { return engine.LegInfo{Stream: l.stream, Trunk: l.trunk} }

// Listen delivers what was emitted so far and from now on.
func (l *Leg) Listen(deliver func(engine.LegEvent)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ev := range l.early {
		deliver(ev)
	}
	l.early, l.deliver = nil, deliver
}

// Progress notes "progress", or "early media" with sound.
func (l *Leg) Progress(sound bool) error {
	if sound {
		return l.note("early media")
	}
	return l.note("progress")
}

// Answer notes "answer".
func (l *Leg) Answer() error { return l.note("answer") }

// SendDigits notes "digits" with the leg and the keys at the Sound.
func (l *Leg) SendDigits(keys string) error {
	if l.over() {
		return engine.ErrLegGone
	}
	l.sound.mu.Lock()
	defer l.sound.mu.Unlock()
	l.sound.note("digits %s %s", l.name, keys)
	return nil
}

// Hangup notes "hangup" with the cause, and ends the leg unless it is silent.
func (l *Leg) Hangup(cause engine.Cause) {
	if l.note("hangup "+string(cause)) != nil {
		return
	}
	l.mu.Lock()
	silent := l.silent
	l.mu.Unlock()
	if !silent {
		l.End(engine.LegEnded{Cause: cause})
	}
}

// Refer notes "refer" with whom the party is to call.
func (l *Leg) Refer(to directory.Address) error { return l.note("refer " + to.String()) }

// Notify notes "notify" with the status, and which referral it is about.
func (l *Leg) Notify(id uint32, status int, _ string) {
	_ = l.note(fmt.Sprintf("notify %d: %d", id, status)) // fails for one that is gone
}

func (l *Leg) note(what string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return engine.ErrLegGone
	}
	l.did = append(l.did, what)
	return nil
}

// Did lists what the engine did with the leg.
func (l *Leg) Did() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.did...)
}

// KeepSilent has the other side not react to Hangup.
func (l *Leg) KeepSilent() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silent = true
}

// Emit lets something happen on the leg.
func (l *Leg) Emit(ev engine.LegEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.emit(ev)
}

func (l *Leg) emit(ev engine.LegEvent) {
	if l.deliver == nil {
		l.early = append(l.early, ev)
		return
	}
	l.deliver(ev)
}

// End ends the leg and what it records, once. Its stream is gone by the time that
// anything is told of it.
func (l *Leg) End(ev engine.LegEnded) {
	l.mu.Lock()
	gone := l.gone
	l.gone = true
	l.mu.Unlock()
	if gone {
		return
	}
	l.sound.file(l.stream)
	l.sound.Recorded(l.stream, media.Event{Duration: time.Second, Heard: time.Second})
	l.Emit(ev)
}

func (l *Leg) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.gone
}

// HangUp is the other side hanging up.
func (l *Leg) HangUp() { l.End(engine.LegEnded{Cause: engine.CauseNormal, Remote: true, Text: "BYE"}) }

// Cancel is the other side giving up before an answer.
func (l *Leg) Cancel() {
	l.End(engine.LegEnded{Cause: engine.CauseCancelled, Remote: true, Text: "CANCEL"})
}

// Refuse is the other side refusing with a status; rang says that it was
// alerted before.
func (l *Leg) Refuse(status int, rang bool) {
	if rang {
		l.Emit(engine.LegRinging{Status: 180})
	}
	l.End(engine.LegEnded{Cause: engine.CauseOfStatus(status, rang), Remote: true, Text: fmt.Sprint(status)})
}

// Press is the party pressing keys.
func (l *Leg) Press(keys string) {
	for _, k := range []byte(keys) {
		l.Emit(engine.LegMedia{Event: media.Event{Stream: l.stream, Kind: media.Digit, Digit: k, Way: media.ByEvent}})
	}
}

var (
	_ engine.Leg      = (*Leg)(nil)
	_ engine.Transfer = (*Leg)(nil)
)
