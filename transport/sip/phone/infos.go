// SPDX-License-Identifier: MIT

package phone

import (
	"context"
	"fmt"
	"time"

	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/info"
)

// InfoOptions say how keys go by SIP INFO. The zero value is application/
// dtmf-relay with a duration of 100 ms.
type InfoOptions struct {
	// Plain sends application/dtmf, the key alone.
	Plain bool
	// Hold is how long the key was down, as it is told.
	Hold time.Duration
}

// SendInfo presses keys by SIP INFO, each when the one before was answered, and
// waits until the last is. The error says which was refused.
func (c *Call) SendInfo(ctx context.Context, digits string, o InfoOptions) error {
	if err := areKeys(digits); err != nil {
		return err
	}
	if o.Hold == 0 {
		o.Hold = keyHold
	}
	form := info.Relay
	if o.Plain {
		form = info.Plain
	}
	for i := range len(digits) {
		press := info.Press{Key: digits[i], Duration: o.Hold}
		reply, err := c.ask(ctx, "an answer to INFO", func(done func(dialog.Reply)) error { //nolint:contextcheck // it is sent in the dialog's own time
			return c.dialog.Info(form, press.Body(form), done)
		})
		if err != nil {
			return err
		}
		if !reply.OK() {
			return fmt.Errorf("phone: key %c by INFO: %s", digits[i], reply.Reason)
		}
	}
	return nil
}

// ask sends a request inside the call and waits for what comes of it.
func (c *Call) ask(ctx context.Context, what string, send func(done func(dialog.Reply)) error) (dialog.Reply, error) {
	var reply *dialog.Reply
	err := send(func(r dialog.Reply) {
		c.mu.Lock()
		defer c.mu.Unlock()
		reply = &r
		c.broadcast()
	})
	if err != nil {
		return dialog.Reply{}, fmt.Errorf("phone: ask: %w", err)
	}
	if err := c.wait(ctx, what, func() bool { return reply != nil }); err != nil {
		return dialog.Reply{}, err
	}
	return *reply, nil
}

// onInfo takes an INFO of the other side's.
func (c *Call) onInfo(contentType string, body []byte) int {
	press, err := info.Parse(contentType, body)
	if err != nil {
		return 415
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ear.infos.WriteByte(press.Key)
	c.broadcast()
	return 200
}
