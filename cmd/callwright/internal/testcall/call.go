// SPDX-License-Identifier: MIT

package testcall

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/timeline"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/phone"
)

const (
	// audible is from which level on something counts as heard, in dB relative
	// to full scale.
	audible = -50
	// settling is how long an answer may be silent before digits are typed, and
	// how long a prompt is listened to.
	settling, listening = 2 * time.Second, 500 * time.Millisecond
	// parting is how long the end of a call may take.
	parting = 5 * time.Second
	// longest is more than any call lasts.
	longest = 7 * 24 * time.Hour
)

// call is a call that is under way.
type call struct {
	*phone.Call
	o     Options
	to    target
	sound []int16 // of Options.Play
	lines *timeline.Printer

	began    time.Time
	watchers sync.WaitGroup
	first    sync.Once
	live     chan struct{} // closed when there is an answer or sound

	mu       sync.Mutex
	replied  bool // a SIP message came
	answered time.Time
	heard    bool
	fault    error // of the answer
	over     time.Time
}

// Run places a call and prints it. The error says what went wrong with it.
func Run(ctx context.Context, out io.Writer, o Options) error {
	c := &call{o: o, live: make(chan struct{})}
	if err := c.prepare(); err != nil {
		return err
	}
	c.lines = timeline.Since(time.Now(), out)
	user := cmp.Or(o.From, o.Username)
	p, err := phone.New(phone.Config{
		Listen: c.o.Listen, Network: c.to.network, User: user, Tone: o.Tone, Codecs: o.Codecs, Trace: c.trace,
	})
	if err != nil {
		return fmt.Errorf("switch the phone on: %w", err)
	}
	defer p.Close()
	c.began = time.Now()
	c.lines.Say("phone", "calls %s from %s", c.to.uri, p.URI())
	from := dialog.Party{}
	if o.Username != "" { // an account is known at its server's address
		host, _, _ := net.SplitHostPort(c.to.host)
		from.URI = "sip:" + dialog.EscapeUser(user) + "@" + host
	}
	if c.Call, err = p.Dial(c.to.uri, phone.CallOptions{Username: o.Username, Password: o.Password, From: from}); err != nil {
		return err
	}
	gaveUp := c.converse(ctx)
	c.over = time.Now()
	end, err := c.end()
	if err != nil {
		return err
	}
	return cmp.Or(gaveUp, c.conclude(out, end))
}

// prepare reads what was said, before anybody's telephone rings.
func (c *call) prepare() (err error) {
	if err := c.o.Check(); err != nil {
		return err
	}
	if c.to, err = parseTarget(c.o.To); err != nil {
		return err
	}
	if c.o.Play != "" {
		if c.sound, err = phone.ReadFile(c.o.Play); err != nil {
			return fmt.Errorf("--play: %w", err)
		}
	}
	if c.o.Record != "" {
		if err := writable(c.o.Record); err != nil {
			return err
		}
	}
	if c.o.Listen == "" {
		c.o.Listen, err = near(c.to)
	} else {
		c.o.Listen, err = listen(c.o.Listen)
	}
	return err
}

// trace prints a SIP message.
func (c *call) trace(m dialog.Message) {
	arrow := "->"
	if !m.Sent {
		arrow = "<-"
		c.mu.Lock()
		c.replied = true
		c.mu.Unlock()
	}
	c.lines.Say("sip", "%s %s", arrow, m.Summary)
}

// converse is the call until it is to be hung up. The error says that nobody
// picked up.
func (c *call) converse(ctx context.Context) error {
	watch, cancel := context.WithTimeout(ctx, longest) // the phone's own patience is shorter
	defer func() { cancel(); c.watchers.Wait() }()
	ended := c.watch(watch)
	select {
	case <-c.live:
	case <-ended:
		return nil
	case <-time.After(c.o.Patience):
		return c.unanswered()
	case <-ctx.Done():
		return nil
	}
	enough := time.After(c.o.Duration)
	script := make(chan struct{})
	c.watchers.Go(func() { defer close(script); c.perform(watch) })
	for done := 0; done < 2; done++ {
		select {
		case <-enough:
			enough = nil
		case <-script:
			script = nil
		case <-ended:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// unanswered says why to give up.
func (c *call) unanswered() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.replied {
		return fmt.Errorf("nothing at %s answered for %s%s", c.to.host, c.o.Patience, isItThere)
	}
	return fmt.Errorf("nobody picked up for %s", c.o.Patience)
}

// watch prints what becomes of the call. The channel is closed at its end.
func (c *call) watch(ctx context.Context) (ended <-chan struct{}) {
	c.watchers.Go(func() {
		err := c.WaitAnswer(ctx)
		var over *phone.EndedError
		if ctx.Err() != nil || errors.As(err, &over) {
			return
		}
		c.mu.Lock()
		c.answered, c.fault = time.Now(), err
		c.mu.Unlock()
		c.lines.Say("phone", "is answered")
		c.first.Do(func() { close(c.live) })
	})
	c.watchers.Go(func() {
		if c.WaitSound(ctx, audible) != nil {
			return
		}
		c.mu.Lock()
		c.heard = true
		c.mu.Unlock()
		c.lines.Say("phone", "hears sound")
		c.first.Do(func() { close(c.live) })
	})
	over := make(chan struct{})
	c.watchers.Go(func() {
		if _, err := c.WaitEnd(ctx); err == nil {
			close(over)
		}
	})
	return over
}

// perform plays and types what was asked for.
func (c *call) perform(ctx context.Context) {
	var acts sync.WaitGroup
	defer acts.Wait()
	if len(c.sound) > 0 {
		acts.Go(func() {
			c.lines.Say("phone", "plays %s (%.1f s)", c.o.Play, float64(len(c.sound))/media.SampleRate)
			if c.Play(ctx, c.sound) == nil {
				c.lines.Say("phone", "has played %s", c.o.Play)
			}
		})
	}
	if c.o.Digits == "" {
		return
	}
	c.settle(ctx)
	for _, part := range parts(c.o.Digits) {
		switch part {
		case "w":
			pause(ctx, 500*time.Millisecond)
		case ",":
			pause(ctx, 2*time.Second)
		default:
			c.press(ctx, part)
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// press types keys, in the sound itself if the other side knows no other way.
func (c *call) press(ctx context.Context, keys string) {
	c.lines.Say("phone", "types %s", keys)
	err := c.SendDigits(ctx, keys)
	if errors.Is(err, phone.ErrNoEvents) {
		err = c.SendTones(ctx, keys, phone.ToneOptions{})
	}
	if err != nil && ctx.Err() == nil {
		c.lines.Say("phone", "could not type %s: %s", keys, err)
	}
}

// settle waits until a person would begin to type: a moment into the prompt.
func (c *call) settle(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	_ = c.WaitSound(limited, audible) // silence is no reason not to type
	pause(ctx, listening)
}

// parts cuts digits at their pauses: "1,2w3" is 1 , 2 w 3.
func parts(digits string) (all []string) {
	for digits != "" {
		n := strings.IndexAny(digits, "w,")
		if n < 0 {
			n = len(digits)
		}
		n = max(n, 1)
		all, digits = append(all, digits[:n]), digits[n:]
	}
	return all
}

// pause waits for d, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// end hangs up, if the other side has not, and waits until it is over.
func (c *call) end() (dialog.Ended, error) {
	ctx, cancel := context.WithTimeout(context.Background(), parting)
	defer cancel()
	c.Hangup()
	return c.WaitEnd(ctx)
}
