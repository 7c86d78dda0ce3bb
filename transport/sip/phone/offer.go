// SPDX-License-Identifier: MIT

package phone

import (
	"context"
	"fmt"

	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/sdp"
)

// offer offers the other side what the session is now, inside the call
// (re-INVITE), and waits for the answer. agreed, if set, is called with c.mu held
// before the answer is settled.
func (c *Call) offer(ctx context.Context, what string, agreed func()) error {
	c.mu.Lock()
	body := c.session.Offer()
	c.mu.Unlock()
	reply, err := c.ask(ctx, "an answer to "+what, func(done func(dialog.Reply)) error { //nolint:contextcheck // as for INFO
		return c.dialog.Reinvite(body, func(r dialog.Reply) {
			if r.OK() {
				c.mu.Lock()
				if agreed != nil {
					agreed()
				}
				c.settle(r.Body)
				c.mu.Unlock()
			}
			done(r)
		})
	})
	switch {
	case err != nil:
		return err
	case !reply.OK():
		return fmt.Errorf("phone: %s: %s", what, reply.Reason)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.fault
}

// Rekey goes on with another key of its own, which it offers to the other side.
func (c *Call) Rekey(ctx context.Context) error {
	c.mu.Lock()
	c.session.Rekey()
	c.mu.Unlock()
	return c.offer(ctx, "another key", nil)
}

// Encrypt goes on under another policy, which it offers to the other side.
func (c *Call) Encrypt(ctx context.Context, p sdp.Policy) error {
	c.mu.Lock()
	c.session.Encrypt(p, c.phone.cfg.Suites...)
	c.mu.Unlock()
	return c.offer(ctx, "other encryption", nil)
}

// Hold puts the other side on hold, or takes it back.
func (c *Call) Hold(ctx context.Context, on bool) error {
	c.mu.Lock()
	c.session.Hold(on)
	c.mu.Unlock()
	return c.offer(ctx, "hold", nil)
}
