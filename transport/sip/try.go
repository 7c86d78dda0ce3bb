// SPDX-License-Identifier: MIT

package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/sip/dialog"
)

// silence is how long a way may give no answer at all until the next is tried. By
// then the INVITE was sent four times over UDP (RFC 3261 section 17.1.1.2).
const silence = 6 * time.Second

// avoided is for how long a trunk that gave no answer is left for last.
const avoided = 30 * time.Second

// errHungUp says that a leg was hung up while its next way was looked for.
var errHungUp = errors.New("hung up meanwhile")

// tries are how an outgoing leg goes from way to way until one leads to somebody.
// The leg's mu guards it.
type tries struct {
	server  *Server
	request engine.DialRequest
	local   netip.AddrPort // of the stream
	left    []route
	// must says that the call has to get through, whatever the limits.
	must bool
	// cancel ends the look-up that runs, if one does.
	cancel context.CancelFunc
}

// try is one way that is tried, with a dialog and an offer of its own: somebody
// else may answer the one before as yet.
type try struct {
	leg    *Leg
	way    route
	dialog *dialog.Dialog
	leave  func() // gives its place on the trunk back
	timer  *time.Timer
	peer   string // where the INVITE went last: a way may lead to several places
	// heard says that anything was answered there, provisional that the call is
	// being dealt with, rang that somebody was alerted. A try that is over only
	// adds to the timeline.
	heard, provisional, rang, over bool
}

// advance begins the next try. The error is why none could be begun. l.mu is held,
// but not all the time.
func (l *Leg) advance() error {
	failed := errHungUp
	for o := l.tries; len(o.left) > 0 && l.fate.cause == ""; {
		t := &try{leg: l, way: o.left[0]}
		o.left = o.left[1:]
		err := l.begin(t)
		if err == nil {
			return nil
		}
		l.tell(engine.LegNote{At: time.Now(), Text: fmt.Sprintf("not called by %s: %s", t.way, err)})
		failed = err
	}
	return failed
}

// begin begins a try. l.mu is held, but not all the time.
func (l *Leg) begin(t *try) (err error) {
	t.leave = func() {}
	if t.way.trunk.Name != "" {
		if t.leave, err = l.tries.server.trunks.Enter(t.way.trunk, l.tries.must); err != nil {
			return err
		}
	}
	if err := l.call(t); err != nil {
		t.leave()
		return err
	}
	return nil
}

func (l *Leg) call(t *try) error {
	o, way := l.tries, t.way
	at, err := l.find(way)
	if err != nil {
		return err
	}
	session, err := o.server.newSession(o.local, at.peer, way.terms, at.secured)
	if err != nil {
		return err
	}
	from, headers := shown(o.request, way)
	d, err := o.server.endpoint.Call(dialog.Call{
		To: way.uri, From: from, Headers: headers, Body: session.Offer(),
		Username: way.trunk.Username, Password: way.trunk.Password,
		Network: way.network, Flow: way.flow, Places: at.places, TLS: security(way.trunk.TLS),
		MaxForwards: o.request.MaxForwards,
	}, t.handler())
	if err != nil {
		return err
	}
	t.dialog, l.dialog, l.trunk = d, d, way.trunk.Name
	l.speak(session, way.terms, o.server.vigilOver(at.peer, way.terms))
	if len(o.left) > 0 {
		t.timer = time.AfterFunc(o.server.silence, t.silent)
	}
	return nil
}

// find finds out where a way leads. l.mu is held, but not while the DNS is asked.
func (l *Leg) find(way route) (whereabouts, error) {
	s := l.tries.server
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	l.tries.cancel = cancel
	l.mu.Unlock()
	at, err := s.whereabouts(ctx, way)
	l.mu.Lock()
	l.tries.cancel = nil
	if l.fate.cause != "" || l.fate.over != nil {
		return at, errHungUp
	}
	return at, err
}

// handler is how the dialog of a try talks to it.
func (t *try) handler() dialog.Handler {
	h := t.leg.handler()
	h.Event, h.Trace = t.onEvent, t.onMessage
	return h
}

func (t *try) onMessage(m dialog.Message) {
	t.leg.mu.Lock()
	defer t.leg.mu.Unlock()
	switch {
	case !m.Sent:
		t.heard = true
		t.provisional = t.provisional || strings.HasPrefix(m.Summary, "1")
	case m.Peer != t.peer && strings.HasPrefix(m.Summary, "INVITE "):
		// The way goes on to another place, which has its own time to answer.
		t.peer, t.heard, t.provisional = m.Peer, false, false
		if t.timer != nil && !t.over {
			t.timer.Reset(t.leg.tries.server.silence)
		}
	}
	t.leg.note(m, !t.over)
}

// onEvent takes what becomes of a try, and makes the next one if it failed.
func (t *try) onEvent(ev dialog.Event) {
	if ev = t.settle(ev); ev != nil {
		t.leg.onDialog(ev)
	}
}

// settle gives what the leg has to know of an event, or nil.
func (t *try) settle(ev dialog.Event) dialog.Event {
	t.leg.mu.Lock()
	defer t.leg.mu.Unlock()
	ended, isEnd := ev.(dialog.Ended)
	if isEnd {
		t.leave()
	}
	switch {
	case t.over:
		return nil
	case t.timer != nil:
		t.timer.Stop()
	}
	if !isEnd {
		t.rang = true
		return ev
	}
	t.blame(ended)
	if !t.mayGoOn(ended) {
		return ev
	}
	return t.goOn(ended)
}

// goOn tries the next way in place of this one, and gives how the leg ends if there
// is none. leg.mu is held, but not all the time.
func (t *try) goOn(ended dialog.Ended) dialog.Event {
	t.over = true
	l := t.leg
	l.tell(engine.LegNote{At: time.Now(), Text: fmt.Sprintf("%s: %s; the next way is tried", t.way, ended.Reason)})
	switch err := l.advance(); {
	case err == nil:
		return nil
	case l.fate.cause != "":
		return dialog.Ended{Status: 487, Reason: "cancelled", By: dialog.Local}
	}
	return ended
}

// blame has a trunk that wants no calls, or is not there, left for last for some
// time.
func (t *try) blame(ended dialog.Ended) {
	trunks := t.leg.tries.server.trunks
	switch {
	case t.way.trunk.Name == "" || t.leg.fate.cause != "":
	case ended.By == dialog.Remote && ended.Status == 503:
		trunks.Avoid(t.way.trunk, ended.RetryAfter, ended.Reason)
	case ended.Why == dialog.Silent || ended.Why == dialog.Unreachable:
		trunks.Avoid(t.way.trunk, avoided, ended.Reason)
	}
}

// mayGoOn says whether a try that has ended is to be followed by another: nobody
// was alerted by it, and it failed for a reason that is only this way's. An
// emergency call goes on after every refusal. leg.mu is held.
func (t *try) mayGoOn(ended dialog.Ended) bool {
	l := t.leg
	switch {
	case len(l.tries.left) == 0 || t.rang || l.fate.cause != "" || l.fate.fault != nil:
		return false
	case ended.By != dialog.Remote, l.tries.must:
		return true
	}
	switch ended.Status {
	case 500, 502, 503, 504:
		return true
	case 408:
		return !t.provisional
	}
	return false
}

// silent gives a try up that was not answered at all, if there is another way. Its
// dialog lives on for itself: it cancels the call when it is heard of, and hangs
// up if somebody answers as yet.
func (t *try) silent() {
	l := t.leg
	l.mu.Lock()
	if t.over || t.heard || l.fate.cause != "" || l.fate.over != nil {
		l.mu.Unlock()
		return
	}
	ended := dialog.Ended{
		Status: 408, Reason: fmt.Sprintf("no answer for %v", l.tries.server.silence), By: dialog.Timeout, Why: dialog.Silent,
	}
	t.blame(ended)
	end := t.goOn(ended)
	l.mu.Unlock()
	t.dialog.Hangup(480, "Temporarily Unavailable")
	if end != nil {
		l.onDialog(end)
	}
}
