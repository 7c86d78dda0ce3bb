// SPDX-License-Identifier: MIT

package phone

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/info"
	"github.com/callwright/callwright/transport/sip/sdp"
)

// Call is one call of a phone.
type Call struct {
	// Invitation is what the caller said; zero for a call that we made.
	dialog.Invitation

	phone   *Phone
	out     bool
	running sync.WaitGroup

	mu      sync.Mutex
	changed chan struct{} // closed and made anew when something happened
	line    line
	dialog  *dialog.Dialog
	session *sdp.Session
	answer  []byte
	remote  media.Remote
	state   state
	secrets secrets
	mouth   mouth
	ear     ear
	// referral is what the other side asked for last, if it did.
	referral *dialog.Referral
}

// state is how far a call is.
type state struct {
	rang      int // provisional responses above 100
	answered  bool
	confirmed bool
	talking   bool // the RTP goroutine runs
	ended     *dialog.Ended
	fault     error
}

func (p *Phone) newCall() (*Call, error) {
	conn, err := socket(p.host)
	if err != nil {
		return nil, err
	}
	c := &Call{
		phone: p, line: line{conn}, changed: make(chan struct{}),
		session: sdp.New(at(conn), rand.Uint64(), p.cfg.Codecs...),
		mouth:   newMouth(p.cfg.Tone, p.cfg.PacketTime),
	}
	c.session.SetPacketTime(p.cfg.PacketTime)
	c.session.Encrypt(p.cfg.SRTP, p.cfg.Suites...)
	if p.cfg.NoEvents {
		c.session.RefuseEvents()
	}
	return c, nil
}

func (c *Call) handler() dialog.Handler {
	h := dialog.Handler{Event: c.onEvent, Offer: c.onOffer, Info: c.onInfo, InfoTypes: info.Accept, Refer: c.onRefer, Trace: c.phone.cfg.Trace}
	if c.phone.cfg.NoInfo {
		h.Info = nil
	}
	return h
}

// broadcast wakes all that wait. c.mu is held.
func (c *Call) broadcast() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// wait waits until ready says so, which is called with c.mu held. It gives up
// when the context or the call ends.
func (c *Call) wait(ctx context.Context, what string, ready func() bool) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	for {
		c.mu.Lock()
		done, over, changed := ready(), c.state.ended, c.changed
		c.mu.Unlock()
		switch {
		case done:
			return nil
		case over != nil:
			return fmt.Errorf("phone %s: wait for %s: %w", c.phone.cfg.User, what, &EndedError{*over})
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("phone %s: wait for %s: %w (%s)", c.phone.cfg.User, what, context.Cause(ctx), c)
		}
	}
}

// EndedError says that the call ended while something else was waited for.
type EndedError struct{ dialog.Ended }

// Error says how.
func (e *EndedError) Error() string {
	return fmt.Sprintf("the call ended: %s (by %s)", e.Reason, e.By)
}

// String says how far the call is, and what was heard so far.
func (c *Call) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	is := "calling"
	switch {
	case c.state.ended != nil:
		is = "ended: " + c.state.ended.Reason
	case c.state.fault != nil:
		is = c.state.fault.Error()
	case c.state.answered || c.state.confirmed:
		is = "talking"
	case c.state.rang > 0:
		is = "ringing"
	}
	return fmt.Sprintf("%s, %d packets received", is, c.ear.received)
}

func (c *Call) onEvent(ev dialog.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.broadcast()
	switch ev := ev.(type) {
	case dialog.Ringing:
		c.state.rang++
		if len(ev.Body) > 0 {
			c.settle(ev.Body)
		}
	case dialog.Answered:
		c.state.answered = true
		if len(ev.Body) > 0 || !c.remote.Addr.IsValid() {
			c.settle(ev.Body)
		}
	case dialog.Confirmed:
		c.state.confirmed = true
		if len(ev.Body) > 0 {
			c.settle(ev.Body)
		}
	case dialog.Ended:
		c.state.ended = &ev
		if !c.state.talking { // otherwise exchange closes it
			c.line.close()
		}
	}
}

// settle takes the answer to our offer and begins to talk. c.mu is held.
func (c *Call) settle(body []byte) {
	remote, err := c.session.Accept(body)
	if err != nil {
		c.state.fault = err
		return
	}
	c.agree(remote)
	c.talk()
}

func (c *Call) onOffer(offer []byte) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(offer) == 0 {
		return c.session.Offer(), nil
	}
	answer, remote, err := c.session.Answer(offer)
	if err == nil {
		c.agree(remote)
	}
	return answer, err
}

// Ring alerts the caller (180).
func (c *Call) Ring() error { return c.dialog.Progress(180, "Ringing", nil) }

// RingAloud opens early media to the caller (183): it hears the phone's tone.
func (c *Call) RingAloud() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.dialog.Progress(183, "Session Progress", c.answer); err != nil {
		return err
	}
	c.talk()
	return nil
}

// Answer picks up.
func (c *Call) Answer() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	body := c.answer
	if body == nil {
		body = c.session.Offer()
	}
	if err := c.dialog.Answer(body); err != nil {
		return fmt.Errorf("phone %s: answer: %w", c.phone.cfg.User, err)
	}
	c.state.answered = true
	if c.answer != nil {
		c.talk()
	}
	return nil
}

// Reject refuses the call with a status such as 486.
func (c *Call) Reject(status int, phrase string) { c.dialog.Hangup(status, phrase) }

// Divert refuses the call and names who is to be called instead (302), the best
// first.
func (c *Call) Divert(uris ...string) {
	headers := make([]dialog.Header, len(uris))
	for i, uri := range uris {
		headers[i] = dialog.Header{Name: "Contact", Value: fmt.Sprintf("<%s>;q=%.1f", uri, 1-float64(i)/10)}
	}
	c.dialog.Hangup(302, "Moved Temporarily", headers...)
}

// Hangup ends the call, or cancels it before an answer.
func (c *Call) Hangup() { c.dialog.Hangup(603, "Decline") }

// WaitRinging waits until the other side is alerted.
func (c *Call) WaitRinging(ctx context.Context) error {
	return c.wait(ctx, "ringing", func() bool { return c.state.rang > 0 || c.state.answered })
}

// WaitAnswer waits until a call that we made is picked up, or one that we
// answered is acknowledged. The error is an *EndedError if it was refused.
func (c *Call) WaitAnswer(ctx context.Context) error {
	err := c.wait(ctx, "an answer", func() bool { return c.out && c.state.answered || c.state.confirmed })
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(err, c.state.fault)
}

// WaitEnd waits until the call is over, and says how it ended.
func (c *Call) WaitEnd(ctx context.Context) (dialog.Ended, error) {
	if err := c.wait(ctx, "the end of the call", func() bool { return c.state.ended != nil }); err != nil {
		return dialog.Ended{}, err
	}
	c.running.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return *c.state.ended, nil
}
