// SPDX-License-Identifier: MIT

package engine

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/callwright/callwright/media"
)

// mostAnnouncements is how many may wait to be heard in one conversation, with
// those whose file is still being fetched.
const mostAnnouncements = 5

// ErrAnnouncements says that too many announcements wait to be heard.
var ErrAnnouncements = errors.New("five announcements wait to be heard in the conversation; make more when they were")

// SoundError says what is wrong with a sound file that an API named: a sentence for
// the customer.
type SoundError struct{ Err error }

// Error is the sentence.
func (e *SoundError) Error() string { return e.Err.Error() }

// Unwrap gives the error beneath.
func (e *SoundError) Unwrap() error { return e.Err }

// announcement is a prompt that both parties of a conversation hear.
type announcement struct {
	prompt *media.Prompt
	token  uint64 // 0 until it is heard
	// tape is the call that is recorded once it was heard; zero is none.
	tape ID
}

func (a announcement) isNotice() bool { return !a.tape.IsZero() }

// Announce has all parties of a conversation hear the sound file at a URL, behind
// those that they hear already. It returns when that is certain, which takes as long
// as fetching the file. The error is a *SoundError, ErrAnnouncements, ErrNoCall,
// ErrNoTalk, ErrTransferring or ErrEmergency.
func (e *Engine) Announce(ctx context.Context, id ID, url string) error {
	// Nobody is to fetch a file for nothing, nor more than can be heard.
	var fetching *atomic.Int32
	begin := func(c *Call) (err error) { fetching, err = c.beginFetch(); return err }
	if err := e.control(id, begin, begin); err != nil {
		return err
	}
	defer fetching.Add(-1)
	p, err := e.config.Prompts.Prompt(ctx, url)
	if err != nil {
		return &SoundError{Err: err}
	}
	a := announcement{prompt: p}
	return e.control(id, func(c *Call) error { return c.announce(a) }, func(c *Call) error { return c.announceAhead(a) })
}

// RecordTalk begins to record a conversation, all parties in one channel, or ends
// that; with announcement they hear first that it will be. It is a recording of the
// call that the id names, whichever has the party. What is so already is no
// error. The error is ErrAnnouncements, ErrNoCall, ErrNoTalk, ErrTransferring or
// ErrEmergency.
func (e *Engine) RecordTalk(ctx context.Context, id ID, on, announcement bool) error {
	var notice *media.Prompt
	if on && announcement {
		var account, language string
		ask := func(c *Call) error { account, language = c.record.Account, c.Language(c.owner()); return nil }
		if err := e.control(id, ask, ask); err != nil {
			return err
		}
		notice = e.notice(ctx, account, language)
	}
	return e.control(id, func(c *Call) error { return c.recordTalk(id, on, notice) },
		func(c *Call) error { return c.recordAhead(id, on, notice) })
}

// recordTalk does it. The last order wins: the notice of one before that is not over
// is heard no more, unless it is wanted still.
func (c *Call) recordTalk(of ID, on bool, notice *media.Prompt) error {
	running := c.party.tapes.running()
	if on && (running || notice != nil && slices.ContainsFunc(c.party.talk.announcements, announcement.isNotice)) {
		return nil
	}
	c.withdrawNotice()
	switch {
	case !on && running:
		return c.StopTape()
	case !on:
		return nil
	case notice == nil:
		_, err := c.startRecording(of, media.RecordMixed)
		return err
	}
	return c.announce(announcement{prompt: notice, tape: of})
}

// withdrawNotice has nobody hear that he is recorded who will not be.
func (c *Call) withdrawNotice() {
	talk := &c.party.talk
	if len(talk.announcements) == 0 {
		return
	}
	if first := &talk.announcements[0]; first.isNotice() { // it is being heard, and the next begins at its end
		first.tape = ID{}
		c.StopPlay()
		c.across((*Call).StopPlay)
	}
	talk.announcements = slices.DeleteFunc(talk.announcements, announcement.isNotice)
}

// beginFetch takes one of the places for announcements, until what it gives is one
// less again.
func (c *Call) beginFetch() (*atomic.Int32, error) {
	talk := &c.party.talk
	if talk.fetching == nil {
		talk.fetching = new(atomic.Int32)
	}
	if len(talk.announcements)+c.ahead.heard()+int(talk.fetching.Load()) >= mostAnnouncements {
		return nil, ErrAnnouncements
	}
	talk.fetching.Add(1)
	return talk.fetching, nil
}

// announce has both parties hear something when what was announced before is over.
func (c *Call) announce(a announcement) error {
	talk := &c.party.talk
	if len(talk.announcements) >= mostAnnouncements {
		return ErrAnnouncements
	}
	talk.announcements = append(talk.announcements, a)
	if len(talk.announcements) == 1 {
		return c.announceNext()
	}
	return nil
}

// announceNext begins the first of the announcements.
func (c *Call) announceNext() error {
	a := &c.party.talk.announcements[0]
	token, err := c.play(a.prompt, false)
	if err != nil {
		return err
	}
	a.token = token
	c.note(EventPrompt, Data{URL: redact(a.prompt.Name)}, "announce %s to all (%.1f s)", redact(a.prompt.Name), a.prompt.Duration().Seconds())
	prompt := a.prompt
	c.across(func(other *Call) { _, _ = other.play(prompt, false) }) // it fails for who is gone
	return nil
}

// announced takes that something is heard no more, which is perhaps the first of
// the announcements.
func (c *Call) announced(ended PlayEnded) {
	talk := &c.party.talk
	if len(talk.announcements) == 0 || talk.announcements[0].token != ended.Token {
		return
	}
	if first := talk.announcements[0]; first.isNotice() {
		c.tapeAnnounced(first.tape, ended.Completed)
	}
	talk.announcements = talk.announcements[1:]
	if len(talk.announcements) > 0 {
		_ = c.announceNext() // fails for a party that is gone
	}
}

// tapeAnnounced begins the recording that all have heard of. Who did not hear it to
// the end has not.
func (c *Call) tapeAnnounced(of ID, heard bool) {
	if !heard {
		c.note(EventRecording, Data{}, "not recorded: its announcement was cut off")
		return
	}
	if _, err := c.startRecording(of, media.RecordMixed); err != nil {
		c.note(EventRecording, Data{}, "not recorded: %s", err)
	}
	c.publish()
}

// giveUpTape has no recording begin that waits for its announcement to be heard.
func (c *Call) giveUpTape() {
	for i := range c.party.talk.announcements {
		if a := &c.party.talk.announcements[i]; a.isNotice() {
			c.tapeAnnounced(a.tape, false)
			a.tape = ID{}
		}
	}
}
