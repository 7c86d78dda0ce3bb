// SPDX-License-Identifier: MIT

package phone

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/callwright/callwright/transport/sip/dialog"
)

// Refer asks the other side to be connected with somebody else (REFER) and waits
// for the final word on that, of which it gives the status. With instead, another
// call of the phone's, the other side is to take our place in that: to should be
// who is at its other end.
func (c *Call) Refer(ctx context.Context, to string, instead *Call) (status int, err error) {
	if instead != nil {
		place, ok := instead.dialog.Replaces()
		if !ok {
			return 0, errors.New("phone: refer: the other call is not answered")
		}
		to += "?Replaces=" + url.QueryEscape(place.String())
	}
	var last dialog.Referred
	err = c.dialog.Refer(to, func(r dialog.Referred) { //nolint:contextcheck // as for INFO
		c.mu.Lock()
		defer c.mu.Unlock()
		last = r
		c.broadcast()
	})
	if err != nil {
		return 0, fmt.Errorf("phone: refer: %w", err)
	}
	err = c.wait(ctx, "the outcome of a transfer", func() bool { return last.Final })
	c.mu.Lock()
	defer c.mu.Unlock()
	return last.Status, err
}

// Place names the call as Dial's Headers may, so that another phone takes our
// place in it.
func (c *Call) Place() (dialog.Header, error) {
	place, ok := c.dialog.Replaces()
	if !ok {
		return dialog.Header{}, errors.New("phone: the call is not answered")
	}
	return dialog.Header{Name: "Replaces", Value: place.String()}, nil
}

// Referral is what the other side asks for: that we call somebody else.
type Referral struct {
	dialog.Referral
	call *Call
}

// WaitReferral waits until the other side asks to call somebody else.
func (c *Call) WaitReferral(ctx context.Context) (Referral, error) {
	err := c.wait(ctx, "a REFER", func() bool { return c.referral != nil })
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		return Referral{}, err
	}
	return Referral{*c.referral, c}, nil
}

// Tell says how it goes: 180, or a final status.
func (r Referral) Tell(status int, phrase string) { r.call.dialog.Notify(r.ID, status, phrase) }

// Follow calls who is asked for, and tells how that goes.
func (r Referral) Follow(ctx context.Context, o CallOptions) (*Call, error) {
	next, err := r.call.phone.Dial(r.To, o)
	if err == nil {
		err = next.WaitAnswer(ctx)
	}
	status, phrase := 503, "Service Unavailable"
	if ended := (*EndedError)(nil); errors.As(err, &ended) {
		status, phrase = ended.Status, ended.Reason
	} else if err == nil {
		status, phrase = 200, "OK"
	}
	r.Tell(status, phrase) //nolint:contextcheck // it is sent in the dialog's own time
	return next, err
}

func (c *Call) onRefer(r dialog.Referral) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.referral = &r
	c.broadcast()
}
