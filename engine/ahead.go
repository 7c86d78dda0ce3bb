// SPDX-License-Identifier: MIT

package engine

import (
	"errors"
	"strings"

	"github.com/callwright/callwright/media"
)

// ahead is what an API asked of a conversation before it had begun: while the party
// heard an announcement, or somebody rang. It is done when they talk, in this order:
// a recording begins, or its notice is heard, the owner is muted, all hear the hold
// tone, then what is announced, and get the keys. What is asked again replaces what
// was asked before, but for announcements and keys, which follow each other.
type ahead struct {
	muted, held bool
	// tape is the call that is recorded; zero is none.
	tape ID
	// notice is what is heard before it is recorded, nil for nothing.
	notice        *media.Prompt
	announcements []announcement
	keys          string
}

// heard is how much waits to be heard.
func (a ahead) heard() int {
	if a.notice != nil {
		return len(a.announcements) + 1
	}
	return len(a.announcements)
}

// mostKeys is how many keys may wait for somebody to hear them.
const mostKeys = 64

// ErrKeys says that too many keys wait to be sent.
var ErrKeys = errors.New("64 keys wait to be sent when they talk; send more then")

// noteAhead tells the timeline what is to be done when they talk.
func (c *Call) noteAhead(what string) { c.note(EventMedia, Data{}, "when they talk: %s", what) }

// announceAhead has all hear something first when they talk.
func (c *Call) announceAhead(a announcement) error {
	if c.ahead.heard() >= mostAnnouncements {
		return ErrAnnouncements
	}
	c.ahead.announcements = append(c.ahead.announcements, a)
	c.noteAhead("announce " + redact(a.prompt.Name))
	return nil
}

// recordAhead has the conversation recorded as soon as it begins or, with a notice,
// as that was heard; or not any more.
func (c *Call) recordAhead(of ID, on bool, notice *media.Prompt) error {
	if notice != nil && c.ahead.notice == nil && c.ahead.heard() >= mostAnnouncements {
		return ErrAnnouncements
	}
	c.ahead.tape, c.ahead.notice = ID{}, notice
	if on {
		c.ahead.tape = of
	}
	switch {
	case notice != nil:
		c.noteAhead("announce that it is recorded, and record it")
	case on:
		c.noteAhead("record it")
	default:
		c.noteAhead("do not record it")
	}
	return nil
}

// sendAhead has all get keys when they talk.
func (c *Call) sendAhead(keys string) error {
	if len(c.ahead.keys)+len(keys) > mostKeys {
		return ErrKeys
	}
	c.ahead.keys += keys
	c.noteAhead("send digits " + keys)
	return nil
}

// catchUp does what an API asked of the conversation that has just begun.
func (c *Call) catchUp() {
	if c.urgent() { // nobody asked that of this one
		c.dropAhead("an emergency service picked up")
		return
	}
	a := c.ahead
	c.ahead = ahead{}
	try := func(what string, err error) {
		if err != nil {
			c.note(EventMedia, Data{}, "not %s: %s", what, err)
		}
	}
	if !a.tape.IsZero() {
		try("recorded", c.recordTalk(a.tape, true, a.notice))
	}
	if a.muted {
		try("muted", c.muteOwner(true))
	}
	if a.held {
		c.holdTalk(true)
	}
	for _, one := range a.announcements {
		try("announced", c.announce(one))
	}
	if a.keys != "" {
		try("sent", c.sendKeys(a.keys))
	}
	c.publish()
}

// dropAhead tells the timeline what is not done, and why.
func (c *Call) dropAhead(why string) {
	var left []string
	for _, one := range []struct {
		wanted bool
		what   string
	}{
		{!c.ahead.tape.IsZero(), "recorded"}, {c.ahead.muted, "muted"}, {c.ahead.held, "put on hold"},
		{len(c.ahead.announcements) > 0, "announced"}, {c.ahead.keys != "", "sent"},
	} {
		if one.wanted {
			left = append(left, one.what)
		}
	}
	if len(left) > 0 {
		c.note(EventMedia, Data{}, "not %s: %s", strings.Join(left, ", "), why)
	}
	c.ahead = ahead{}
}
