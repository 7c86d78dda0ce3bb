// SPDX-License-Identifier: MIT

package engine

import (
	"context"
	"errors"

	"github.com/callwright/callwright/directory"
)

// ReplacedError is what Await returns when an API has sent the party to somebody
// else: the program that runs ends where it waits, and something else takes its
// place.
type ReplacedError struct{}

// Error says what happened.
func (*ReplacedError) Error() string { return "the party is sent to somebody else" }

// replacement is what takes the place of a program: the call is forwarded, or it is
// led to a destination; else it is left to the account settings.
type replacement struct {
	forward *succession
	lead    *directory.Address
	// from is who that one is shown; zero is the caller.
	from directory.Address
}

// perform runs the program that first gives, and whatever an API puts in its place
// while it runs or is still asked for.
func (c *Call) perform(ctx context.Context, first func() (Program, error)) error {
	c.waiting.replaceable = true
	defer func() { c.waiting.replaceable = false }()
	program, err := first()
	for {
		if err == nil {
			err = c.execute(ctx, program)
		}
		var replaced *ReplacedError
		if !errors.As(err, &replaced) {
			return err
		}
		if program, err = c.replaced(ctx); err == nil {
			continue
		}
		return err
	}
}

// replaced clears away what the program left that was replaced, and gives what runs
// instead.
func (c *Call) replaced(ctx context.Context) (Program, error) {
	r := c.waiting.replacement
	c.waiting.replacement, c.waiting.stash = nil, nil
	if r.forward != nil {
		return nil, c.forward(ctx, *r.forward)
	}
	c.hangUpChildren(CauseForwarded)
	if c.party.playing != 0 {
		c.StopPlay()
	}
	c.party.ringback, c.party.alerted = 0, false
	if !c.party.hearer.IsZero() { // it heard somebody's phone
		_ = c.engine.config.Sound.Unbridge(c.Stream())
		c.hears(ID{}, directory.Address{})
	}
	if r.lead != nil {
		c.called.destination, c.called.shown, c.called.users = r.lead, r.from, nil
	}
	return c.missing(MissingEmpty), nil
}

// heardOut reads the answer to a question that a program left behind which was
// replaced: nothing of it is carried out, but it may say who wants to know of the
// end.
func (c *Call) heardOut(m done) bool {
	for at := &c.app.asking; *at != nil; at = &(*at).around {
		if q := *at; q.token == m.token && q.left {
			*at = q.around
			if reply := <-q.reply; reply.Err == nil {
				c.read(&c.record, q.why, reply)
			}
			return true
		}
	}
	return false
}

// leaveQuestions notes that nobody waits for the answers any more.
func (c *Call) leaveQuestions() {
	for q := c.app.asking; q != nil; q = q.around {
		q.left = true
	}
}
