// SPDX-License-Identifier: MIT

package sip

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/info"
	"github.com/callwright/callwright/transport/sip/sdp"
)

// Leg is one SIP dialog and its media stream, as the engine sees them.
type Leg struct {
	media  Media
	stream media.StreamID
	out    bool   // we called
	tries  *tries // how, if we called
	leave  func() // gives the place on a trunk back, if it called by one
	// account is whose call it is, and replaced finds the legs that others name
	// (dialog.Endpoint.Replaced).
	account  string
	replaced func(dialog.Replaces) (any, *dialog.Response)
	// answer is what we answer the caller's offer with; empty when the caller
	// made none and the offer is ours to make. It is never changed.
	answer []byte

	// mu is not held while the dialog is asked for something: that may wait for
	// a peer that does not read, and the media plane waits for mu.
	mu sync.Mutex
	// dialog is set before anybody has the leg. It may be another one, by another
	// trunk and on other terms, until somebody is alerted.
	dialog  *dialog.Dialog
	trunk   string // by which, if by one
	terms   terms
	session *sdp.Session
	// remote is what the peer's last session description settled; it has no
	// address before there is one.
	remote media.Remote
	cipher media.Suite // that sound goes by; 0 is in the clear
	vigil  vigil
	// rang says that the called party was alerted.
	rang bool
	fate fate
	keys keys

	deliver func(engine.LegEvent)
	early   []engine.LegEvent // what happened before Listen
}

// fate is how a leg ends.
type fate struct {
	// cause is what Hangup was given; fault is why we hung up by ourselves.
	cause engine.Cause
	fault error
	// over is how the dialog ended, until the stream is closed too; told says
	// that the engine knows.
	over *engine.LegEnded
	told bool
}

// Info names the stream.
func (l *Leg) Info() engine.LegInfo {
	l.mu.Lock()
	defer l.mu.Unlock()
	return engine.LegInfo{Stream: l.stream, Trunk: l.trunk}
}

// Listen tells everything that happened so far and from now on to deliver.
func (l *Leg) Listen(deliver func(engine.LegEvent)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ev := range l.early {
		deliver(ev)
	}
	l.early, l.deliver = nil, deliver
}

// tell tells one event, and nothing after the end. l.mu is held.
func (l *Leg) tell(ev engine.LegEvent) {
	switch {
	case l.fate.told:
	case l.deliver == nil:
		l.early = append(l.early, ev)
	default:
		l.deliver(ev)
	}
}

// end tells the end. l.mu is held.
func (l *Leg) end() {
	l.tell(*l.fate.over)
	l.fate.told = true
}

// Progress sends 180, or 183 with a session description.
func (l *Leg) Progress(sound bool) error {
	if !sound {
		return gone(l.dialog.Progress(180, "Ringing", nil))
	}
	if l.answer == nil {
		return engine.ErrNoEarlyMedia
	}
	if err := l.dialog.Progress(183, "Session Progress", l.answer); err != nil {
		return gone(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.connect()
}

// Answer sends 200 with a session description: an answer, or our offer if the
// caller left that to us.
func (l *Leg) Answer() error {
	body := l.answer
	if body == nil {
		body = l.offer()
	}
	if err := l.dialog.Answer(body); err != nil {
		return gone(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.vigil.answered = true
	if !l.settled() {
		return nil // the ACK will say where to
	}
	if err := l.connect(); !errors.Is(err, media.ErrNoStream) {
		return err
	}
	return nil // it picked up, and has hung up since, which is told by itself
}

// gone words a dialog's refusal as the engine knows it.
func gone(err error) error {
	if errors.Is(err, dialog.ErrOver) {
		return engine.ErrLegGone
	}
	return err
}

// Hangup ends the leg. The reason goes along by RFC 3326.
func (l *Leg) Hangup(cause engine.Cause) {
	l.mu.Lock()
	if l.fate.cause == "" {
		l.fate.cause = cause
	}
	d := l.dialog
	if l.tries != nil && l.tries.cancel != nil {
		l.tries.cancel()
	}
	l.mu.Unlock()
	words := cause.Words()
	headers := []dialog.Header{{Name: "Reason", Value: fmt.Sprintf("Q.850;cause=%d", words.Q850)}}
	if cause == engine.CauseElsewhere {
		// Phones that see this do not list a missed call.
		headers = []dialog.Header{{Name: "Reason", Value: `SIP;cause=200;text="Call completed elsewhere"`}}
	}
	if words.SIPStatus == 503 {
		headers = append(headers, dialog.Header{Name: "Retry-After", Value: retryAfter})
	}
	d.Hangup(words.SIPStatus, words.SIPReason, headers...)
}

// handler is how the dialog talks to the leg.
func (l *Leg) handler() dialog.Handler {
	return dialog.Handler{
		Event: l.onDialog, Trace: l.onMessage, Offer: l.onOffer, Info: l.onInfo, InfoTypes: info.Accept, Refer: l.onRefer, Owner: l,
	}
}

func (l *Leg) onMessage(m dialog.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note(m, true)
}

// note puts a message on the timeline; mine says that it is of the dialog that the
// leg has now. l.mu is held.
func (l *Leg) note(m dialog.Message, mine bool) {
	if mine && !m.Sent {
		l.vigil.hear(m.Peer)
	}
	l.tell(engine.LegMessage{At: m.At, Sent: m.Sent, Summary: m.Summary, Peer: m.Peer})
}

// onDialog takes what becomes of the dialog, one event at a time.
func (l *Leg) onDialog(ev dialog.Event) {
	if err := l.take(ev); err != nil {
		l.mismatch(err)
	}
}

// take does so; the error is that the peer answered what we cannot speak.
func (l *Leg) take(ev dialog.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch ev := ev.(type) {
	case dialog.Ringing:
		l.rang = l.rang || ev.Status == 180
		// Early media that cannot be understood is none; the answer will tell.
		sound := len(ev.Body) > 0 && l.settle(ev.Body) == nil
		l.tell(engine.LegRinging{Status: ev.Status, Sound: sound})
	case dialog.Answered:
		l.vigil.answered = true
		if err := l.settle(ev.Body); err != nil {
			return err
		}
		l.tell(engine.LegAnswered{})
	case dialog.Confirmed:
		if len(ev.Body) > 0 || !l.settled() {
			if err := l.settle(ev.Body); err != nil {
				return err
			}
		}
		l.tell(engine.LegConfirmed{})
	case dialog.Ended:
		if l.leave != nil {
			l.leave()
		}
		if l.fate.over != nil {
			return nil // told when the stream was closed under it
		}
		l.fate.over = &engine.LegEnded{Cause: l.causeOf(ev), Remote: ev.By == dialog.Remote, Text: ev.Reason, Contacts: usersOf(ev.Contacts)}
		if l.fate.fault != nil && ev.By == dialog.Local {
			l.fate.over.Text = l.fate.fault.Error()
		}
		if l.trunk != "" && (ev.Status == 401 || ev.Status == 407) {
			l.fate.over.Text += fmt.Sprintf(": trunk %q does not take our credentials; check its username and password", l.trunk)
		}
		if ev.Status == 488 && ev.By == dialog.Remote && l.out {
			l.fate.over.Text += l.terms.remedy()
		}
		if l.media.CloseStream(l.stream) != nil { // closed before: the plane is stopping
			l.end()
		}
	}
	return nil
}

// usersOf gives the users of URIs, each once, as if they were dialled; a URI without
// one is given whole, for the timeline to say that it is nobody.
func usersOf(uris []string) []string {
	var users []string
	for _, uri := range uris {
		if user := cmp.Or(dialog.UserPart(uri), uri); user != "" && !slices.Contains(users, user) {
			users = append(users, user)
		}
	}
	return users
}

// causeOf says why the leg ended. l.mu is held.
func (l *Leg) causeOf(ended dialog.Ended) engine.Cause {
	switch {
	case ended.By == dialog.Local && l.fate.cause != "":
		return l.fate.cause
	case ended.By == dialog.Remote && ended.Status == 487 && !l.out:
		return engine.CauseCancelled
	case ended.Why == dialog.Expired:
		return engine.CauseExpired
	case ended.Why == dialog.Unacknowledged:
		return engine.CauseNoAck
	case ended.Status != 0:
		return engine.CauseOfStatus(ended.Status, l.rang)
	case ended.By == dialog.Remote:
		return engine.CauseNormal
	}
	return engine.CauseShutdown
}

// onMedia takes what happens on the stream.
func (l *Leg) onMedia(ev media.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ev.Kind == media.Digit && !l.count(ev, 0) {
		return
	}
	if ev.Kind == media.Lost {
		go l.lost(ev.Duration) // it may wait for a peer, and the plane for us
	}
	if ev.Kind != media.Closed {
		l.tell(engine.LegMedia{Event: ev})
		return
	}
	if l.fate.over == nil { // the plane is stopping before the dialog has ended
		l.fate.over = &engine.LegEnded{Cause: engine.CauseShutdown, Text: "the media plane was stopped"}
	}
	l.fate.over.Figures = ev.Figures
	l.end()
}

var _ engine.Leg = (*Leg)(nil)
