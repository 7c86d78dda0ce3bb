// SPDX-License-Identifier: MIT

package sip

import (
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

// tries are how an outgoing leg goes from way to way until one leads to somebody.
// The leg's mu guards it.
type tries struct {
	server  *Server
	request engine.DialRequest
	local   netip.AddrPort // of the stream
	left    []route
	// must says that the call has to get through, whatever the limits.
	must bool
}

// try is one way that is tried, with a dialog and an offer of its own: somebody
// else may answer the one before as yet.
type try struct {
	leg    *Leg
	way    route
	dialog *dialog.Dialog
	leave  func() // gives its place on the trunk back
	timer  *time.Timer
	// heard says that anything was answered, provisional that the call is being
	// dealt with, rang that somebody was alerted. A try that is over only adds to
	// the timeline.
	heard, provisional, rang, over bool
}

// advance begins the next try. The error is why none could be begun. l.mu is held.
func (l *Leg) advance() error {
	var failed error
	for o := l.tries; len(o.left) > 0; {
		way := o.left[0]
		o.left = o.left[1:]
		err := l.begin(way)
		if err == nil {
			return nil
		}
		l.tell(engine.LegNote{At: time.Now(), Text: fmt.Sprintf("not called by %s: %s", way, err)})
		failed = err
	}
	return failed
}

// begin begins a try. l.mu is held.
func (l *Leg) begin(way route) error {
	o := l.tries
	t := &try{leg: l, way: way, leave: func() {}}
	if way.trunk.Name != "" {
		leave, err := o.server.trunks.Enter(way.trunk, o.must)
		if err != nil {
			return err
		}
		t.leave = leave
	}
	at, err := o.server.whereabouts(way)
	if err != nil {
		t.leave()
		return err
	}
	session, err := o.server.newSession(o.local, at.peer, way.terms, at.private)
	if err != nil {
		t.leave()
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
		t.leave()
		return err
	}
	t.dialog, l.dialog, l.trunk = d, d, way.trunk.Name
	l.speak(session, way.terms, o.server.vigilOver(at.peer, way.terms))
	if len(o.left) > 0 {
		t.timer = time.AfterFunc(o.server.silence, t.silent)
	}
	return nil
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
	if !m.Sent {
		t.heard = true
		t.provisional = t.provisional || strings.HasPrefix(m.Summary, "1")
	}
	t.leg.note(m, !t.over)
}

// onEvent takes what becomes of a try, and makes the next one if it failed.
func (t *try) onEvent(ev dialog.Event) {
	if !t.settles(ev) {
		t.leg.onDialog(ev)
	}
}

// settles says whether the leg need not know of an event.
func (t *try) settles(ev dialog.Event) bool {
	t.leg.mu.Lock()
	defer t.leg.mu.Unlock()
	ended, isEnd := ev.(dialog.Ended)
	if isEnd {
		t.leave()
	}
	if t.over {
		return true
	}
	t.stop()
	if !isEnd {
		t.rang = true
		return false
	}
	t.blame(ended)
	if !t.mayGoOn(ended) {
		return false
	}
	t.over = true
	return t.leg.goOn(t.way, ended.Reason) == nil
}

func (t *try) stop() {
	if t.timer != nil {
		t.timer.Stop()
	}
}

// blame has a trunk that wants no calls, or is not there, left for last for some
// time.
func (t *try) blame(ended dialog.Ended) {
	trunks := t.leg.tries.server.trunks
	switch {
	case t.way.trunk.Name == "" || t.leg.fate.cause != "":
	case ended.By == dialog.Remote && ended.Status == 503:
		trunks.Avoid(t.way.trunk, ended.RetryAfter, ended.Reason)
	case ended.By != dialog.Remote && !t.heard:
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

// goOn tries the next way, and says so. l.mu is held.
func (l *Leg) goOn(failed route, reason string) error {
	l.tell(engine.LegNote{At: time.Now(), Text: fmt.Sprintf("%s: %s; the next way is tried", failed, reason)})
	return l.advance()
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
	if len(l.tries.left) == 0 || l.goOn(t.way, fmt.Sprintf("no answer for %v", l.tries.server.silence)) != nil {
		l.mu.Unlock() // it may answer as yet, and nobody else can
		return
	}
	t.over = true
	if t.way.trunk.Name != "" {
		l.tries.server.trunks.Avoid(t.way.trunk, avoided, "it does not answer")
	}
	l.mu.Unlock()
	t.dialog.Hangup(480, "Temporarily Unavailable")
}
