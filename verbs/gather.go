// SPDX-License-Identifier: MIT

package verbs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callwright/callwright/engine"
)

// Gather collects digits that the party presses, and asks the app what to do
// about them. It ends when MaxDigits were pressed or none came for Timeout.
//
//	attribute  default  known to
//	OnData     -        sipgateio @onData
//	MaxDigits  1        sipgateio @maxDigits
//	Timeout    2 s      sipgateio @timeout; the wait for the first and for each further digit
//	Prompts    none     sipgateio <Play>, <Say>; the first digit stops them, Timeout counts from their end
type Gather struct {
	OnData    string
	MaxDigits int
	Timeout   time.Duration
	Prompts   []Prompt
}

// String names the verb and what it waits for.
func (g Gather) String() string {
	s := fmt.Sprintf("Gather up to %d digits, %s each", g.MaxDigits, g.Timeout)
	for _, p := range g.Prompts {
		s += ", " + p.String()
	}
	return s
}

// Run plays the prompts, collects the digits and asks the app about them.
func (g Gather) Run(ctx context.Context, c *engine.Call) (engine.Next, error) {
	if err := c.OpenSound(); err != nil {
		return engine.Next{}, err
	}
	defer c.KeepDigits()()
	digits, err := g.prompt(ctx, c)
	if err != nil {
		return engine.Next{}, err
	}
	for len(digits) < g.MaxDigits {
		key, err := awaitDigit(ctx, c, g.Timeout)
		if err != nil {
			return engine.Next{}, err
		}
		if key == 0 {
			break
		}
		digits += string(rune(key))
	}
	return engine.Goto(c.Gathered(digits, g.OnData)), nil
}

// prompt plays the prompts one after the other until they end or a digit comes,
// and gives that digit. Digits that come while a prompt is fetched count too.
func (g Gather) prompt(ctx context.Context, c *engine.Call) (digits string, err error) {
	for _, p := range g.Prompts {
		token, err := p.start(ctx, c)
		if err != nil {
			return "", err
		}
		if token == 0 {
			continue
		}
		m, err := c.Await(ctx, func(m engine.Message) bool {
			_, digit := m.(engine.Digit)
			return digit || isEndOf(m, token)
		})
		if err != nil {
			return "", err
		}
		if d, ok := m.(engine.Digit); ok {
			c.StopPlay()
			return string(rune(d.Key)), nil
		}
	}
	return "", nil
}

// awaitDigit waits for the next digit; 0 means that none came in time.
func awaitDigit(ctx context.Context, c *engine.Call, timeout time.Duration) (byte, error) {
	m, err := c.AwaitFor(ctx, timeout, func(m engine.Message) bool { _, ok := m.(engine.Digit); return ok })
	switch {
	case errors.Is(err, engine.ErrTimeout):
		return 0, nil
	case err != nil:
		return 0, err
	}
	return m.(engine.Digit).Key, nil
}
