// SPDX-License-Identifier: MIT

package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/media"
)

// Stream is the sound of the call's party; zero if it has no leg.
func (c *Call) Stream() media.StreamID {
	if c.party.leg == nil {
		return 0
	}
	return c.party.leg.Info().Stream
}

// Answered says whether the call's leg was picked up.
func (c *Call) Answered() bool { return c.party.up }

// trace puts the messages with which the leg came on the timeline, ahead of what the
// app is asked about them.
func (c *Call) trace() {
	traced := func(m Message) bool {
		of, ok := m.(fromLeg)
		if ok {
			_, ok = of.event.(LegMessage)
		}
		return ok
	}
	for {
		m, ok := c.inbox.takeIf(traced)
		if !ok {
			return
		}
		c.handleLeg(m.(fromLeg).event)
	}
}

// handleLeg puts what a leg reports on the timeline and gives what concerns the
// program, or nil.
func (c *Call) handleLeg(ev LegEvent) Message {
	switch ev := ev.(type) {
	case LegMessage:
		arrow := "<-"
		if ev.Sent {
			arrow = "->"
		}
		c.timeline.add(ev.At, EventSIP, fmt.Sprintf("%s %s (%s)", arrow, ev.Summary, ev.Peer), Data{})
	case LegNote:
		c.timeline.add(ev.At, EventMedia, ev.Text, Data{})
	case LegRinging:
		return legAlerted{ev}
	case LegAnswered:
		return legAnswered{}
	case LegMedia:
		return c.handleMedia(ev.Event)
	case LegReferred:
		c.refer(ev)
	case LegTransfer:
		c.referredOn(ev)
	case LegEnded:
		c.party.gone = &ev
		if c.over == "" && c.parent != nil && !c.Answered() {
			return legRefused{ev}
		}
		cause := ev.Cause
		if ev.Remote && (c.move.leaving() || c.move.referred) {
			cause = CauseTransferred
		}
		if c.parent == nil && cause == CauseNormal && ev.Remote && c.record.AnsweredBy == nil {
			// The caller hung up while it heard our sound, before anybody
			// picked up.
			cause = CauseCancelled
		}
		c.finishWith(cause)
	}
	return nil
}

func (c *Call) handleMedia(ev media.Event) Message {
	switch ev.Kind {
	case media.Latched:
		c.note(EventMedia, Data{}, "sound comes from %s", ev.Source)
	case media.Lost:
		c.note(EventMedia, Data{}, "nothing was heard for %s", ev.Duration.Round(time.Second/10))
	case media.Digit:
		key := string(rune(ev.Digit))
		c.note(EventDigit, Data{Digits: key}, "digit %s%s", key, c.passOn(key, ev.Way))
		return Digit{Key: ev.Digit}
	case media.PlayEnded:
		ended := PlayEnded{Token: ev.Token, Completed: ev.Completed}
		c.played(ended)
		return ended
	case media.RecordEnded:
		return c.recorded(ev)
	}
	return nil
}

// passOn sends a key to the party that hears this one, which may be somebody
// else's menu, and says so. Tones are in the sound that it hears.
func (c *Call) passOn(key string, way media.DigitWay) string {
	to := cmp.Or(c.party.talk.keysTo, c.party.hearer)
	if to.IsZero() || way == media.ByTone || c.party.talk.held {
		return ""
	}
	if c.engine.send(to, sendDigits{key}) != nil {
		return "" // it is gone; its end is on its way
	}
	return ", passed on"
}

// relay sends the party what its other side typed.
func (c *Call) relay(digits string) {
	if c.party.leg == nil {
		return
	}
	if err := c.party.leg.SendDigits(digits); err != nil && !errors.Is(err, media.ErrNoStream) && !errors.Is(err, ErrLegGone) {
		c.note(EventDigit, Data{Digits: digits}, "digit %s could not be passed on: %s", digits, err)
	}
}

// OpenSound makes sure that the party hears what is played: as early media, or
// by answering, as the app is set.
func (c *Call) OpenSound() error {
	if err := c.needParty(); err != nil {
		return err
	}
	if c.party.sound {
		return nil
	}
	if !c.app.EarlyMedia {
		return c.pickUp()
	}
	if early, err := c.openEarly(); err != nil || early {
		return err
	}
	return c.pickUp()
}

// openEarly has the party hear what is played as early media, if it can.
func (c *Call) openEarly() (can bool, err error) {
	err = c.party.leg.Progress(true)
	if err != nil && !errors.Is(err, ErrNoEarlyMedia) {
		return false, fmt.Errorf("begin early media: %w", err)
	}
	c.party.sound = err == nil
	return c.party.sound, nil
}

// pickUp answers the call, and its leg if that was not picked up for one before.
func (c *Call) pickUp() error {
	if err := c.needParty(); err != nil {
		return err
	}
	if !c.Answered() {
		if err := c.party.leg.Answer(); err != nil {
			return fmt.Errorf("answer the call: %w", err)
		}
		c.party.up, c.party.sound = true, true
	}
	if c.record.AnsweredAt != nil {
		return nil
	}
	now := time.Now()
	c.record.State, c.record.AnsweredAt = StateAnswered, &now
	c.engine.config.Journal.Append(RecordSaved{c.record.clone()})
	return nil
}

// AnswerAs picks the call up in the name of a party of ours, such as a voicemail,
// and tells the app.
func (c *Call) AnswerAs(by directory.Address) error {
	if err := c.pickUp(); err != nil {
		return err
	}
	c.silenceRingback()
	c.answered(by, ID{})
	return nil
}

// alert lets the party hear that somebody rings: by a 180, or where it hears
// our sound already, by playing the tone. It does so once, and not to a party
// that hears a target's own early media. A call that an API began, and which rings
// its party yet, has nobody to tell.
func (c *Call) alert() error {
	if c.party.alerted || c.party.leg == nil && c.line.loan.from.IsZero() {
		return nil
	}
	c.party.alerted = true
	if c.party.leg == nil {
		c.tellCall(c.line.loan.from, rings{by: c.record.ID})
		return nil
	}
	if !c.party.sound {
		return c.party.leg.Progress(false)
	}
	if c.engine.config.Ringback == nil {
		return nil
	}
	token, err := c.play(c.engine.config.Ringback, true)
	c.party.ringback = token
	return err
}

// silenceRingback stops what alert plays.
func (c *Call) silenceRingback() {
	if c.party.ringback != 0 {
		c.party.ringback = 0
		c.StopPlay()
	}
}

// preview lets the party hear the early media of the one target that rings.
// Nobody is answered for that: a party that can hear no early media, or is to
// hear none by its app's settings, is alerted.
func (c *Call) preview(ringing childRinging) error {
	if c.party.preview == ringing.Stream {
		return nil // every provisional response of the target says so again
	}
	if !c.party.sound {
		if c.party.leg == nil || !c.app.EarlyMedia {
			return c.alert()
		}
		switch early, err := c.openEarly(); {
		case err != nil:
			return err
		case !early:
			return c.alert()
		}
	}
	c.silenceRingback()
	c.party.alerted, c.party.preview = true, ringing.Stream
	return c.bridge(ringing.Child, ringing.Stream, c.children[ringing.Child].Address)
}

// bridge has the party and another call's, who is so called, hear each other. Where
// one of them is gone there is nothing to be heard, and its end is on its way.
func (c *Call) bridge(other ID, stream media.StreamID, who directory.Address) error {
	err := c.engine.config.Sound.Bridge(c.Stream(), stream)
	if err != nil && !errors.Is(err, media.ErrNoStream) {
		return fmt.Errorf("let both sides hear each other: %w", err)
	}
	c.hears(other, who)
	return nil
}

// Prompt gives the sound file at a URL; the call goes on while it is fetched.
// The first error is about the file, a sentence for the app's developer; the
// second is what Await returns.
func (c *Call) Prompt(ctx context.Context, url string) (prompt *media.Prompt, fault, err error) {
	return c.load(ctx, func(ctx context.Context) (*media.Prompt, error) { return c.engine.config.Prompts.Prompt(ctx, url) })
}

// PromptFile gives the sound file at a path of this machine, as Prompt does at a URL.
// The path is never a customer's, who could read any file by it.
func (c *Call) PromptFile(ctx context.Context, path string) (prompt *media.Prompt, fault, err error) {
	return c.load(ctx, func(ctx context.Context) (*media.Prompt, error) { return c.engine.config.Files.Prompt(ctx, path) })
}

// StartPlay has the party hear a prompt and gives the token that its PlayEnded
// will carry.
func (c *Call) StartPlay(p *media.Prompt) (token uint64, err error) {
	if err := c.OpenSound(); err != nil {
		return 0, err
	}
	c.party.ringback, c.party.alerted = 0, false // it takes the place of the tone
	c.notePlay(p)
	return c.play(p, false)
}

// StopPlay ends what the party hears; its PlayEnded follows.
func (c *Call) StopPlay() {
	// A stream that is gone plays nothing: the leg's end is told on its own.
	_ = c.engine.config.Sound.StopPlay(c.Stream())
}
