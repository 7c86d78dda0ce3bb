// SPDX-License-Identifier: MIT

package engine

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/media"
)

// What an API may do with a conversation is told to the call whose id it knows: the
// one that is no child. That call does it to its own party, and has the call at the
// other end do the same to the other.
//
//	          who      hears                                  until
//	Mute      owner    everybody                              Mute(false), or the other side is another one
//	          others   nothing of the owner; its keys count
//	Hold      all      the hold tone, nothing of each other   Hold(false), or the other side is another one
//	Announce  all      the announcement; then each other      its end
//	                   again, or the hold tone
//	Record    -        -                                      its end, or one of both talks with another one
//
// What is asked before they talk is done when they do (ahead.go).
//
// So each recording is of the same two, who have heard its announcement: whoever comes
// by a transfer has not, and somebody must ask for the next recording. One that waits
// for its announcement to be heard is given up likewise. The timeline tells of both.
//
// A tape has what its party says and hears: the hold tone too, and of a party that
// is muted nothing.

// What an API may ask of a call at the wrong moment.
var (
	// ErrNoTalk says that the call is in no conversation, where it must be in one.
	ErrNoTalk = errors.New("the call is in no conversation")
	// ErrNoOwner says that there is nobody to be muted.
	ErrNoOwner = errors.New("nobody of the account is in the conversation who could be muted: it goes on between others")
	// ErrEmergency says that the call goes to an emergency service.
	ErrEmergency = errors.New("the call goes to an emergency service, and is left alone")
)

// conversation is what is known of the one that a party is in, and what an API made
// of it.
type conversation struct {
	// with is who the party hears.
	with directory.Address
	// shown says that the conversation is shown as that of the other end.
	shown bool
	made
	// aside is what was made of it before a consultation.
	aside made
	// keysTo is the call that gets the keys of the party; zero is that of who hears
	// it.
	keysTo ID
	// hold is the token of the hold tone, 0 while something else is heard.
	hold uint64
	// announcements wait to be heard by both; the first of them is being heard.
	announcements []announcement
	// fetching counts those whose file is not here yet; nil is none.
	fetching *atomic.Int32
}

// made is what an API made of a conversation: muted says that the owner is not heard,
// hushed that it is this party, held that both hear the hold tone.
type made struct{ muted, hushed, held bool }

// control has the call that an app knows do something in its conversation. Before
// there is one, note keeps what it is for later.
func (e *Engine) control(id ID, do, note func(*Call) error) error {
	return e.order(id, func(c *Call) error {
		switch {
		case c.parent != nil:
			return ErrNoCall
		case c.consulting():
			return ErrTransferring
		case c.mayTalk():
			return note(c)
		case !c.party.talking || c.party.hearer.IsZero() || c.party.gone != nil:
			return fmt.Errorf("%w, and comes to none: a voicemail has it, or the other side has hung up", ErrNoTalk)
		}
		defer c.publish()
		return do(c)
	})
}

// mayTalk says whether a conversation of the call may begin yet.
func (c *Call) mayTalk() bool {
	by := c.record.AnsweredBy
	return c.parent == nil && !c.party.talking && c.party.gone == nil && (by == nil || by.Kind != directory.KindVoicemail)
}

// Mute has nobody hear the owner of a conversation, or everybody again. The error
// is ErrNoCall, ErrNoTalk, ErrTransferring, ErrNoOwner or ErrEmergency.
func (e *Engine) Mute(id ID, on bool) error {
	return e.control(id, func(c *Call) error { return c.muteOwner(on) }, func(c *Call) error {
		c.ahead.muted = on
		c.noteAhead(map[bool]string{true: "mute the owner", false: "do not mute the owner"}[on])
		return nil
	})
}

func (c *Call) muteOwner(on bool) error {
	switch here, there := c.owners(); {
	case here:
		c.mute(on)
	case there:
		c.across(func(other *Call) { other.mute(on) })
	default:
		return ErrNoOwner
	}
	c.party.talk.muted = on
	c.note(EventMedia, Data{}, "the owner is %s", map[bool]string{true: "muted", false: "heard again"}[on])
	return nil
}

func (c *Call) mute(on bool) {
	// A stream that is gone is not heard.
	_ = c.engine.config.Sound.Mute(c.Stream(), on)
	c.party.talk.hushed = on
}

// Hold has all parties of a conversation hear the hold tone instead of each other,
// or each other again. The error is ErrNoCall, ErrNoTalk, ErrTransferring or
// ErrEmergency.
func (e *Engine) Hold(id ID, on bool) error {
	return e.control(id, func(c *Call) error { c.holdTalk(on); return nil }, func(c *Call) error {
		c.ahead.held = on
		c.noteAhead(map[bool]string{true: "put it on hold", false: "do not put it on hold"}[on])
		return nil
	})
}

func (c *Call) holdTalk(on bool) {
	c.hold(on)
	c.across(func(other *Call) { other.hold(on) })
}

func (c *Call) hold(on bool) {
	talk := &c.party.talk
	if talk.held == on {
		return
	}
	talk.held = on
	c.note(EventMedia, Data{}, "%s", map[bool]string{true: "on hold", false: "not on hold any more"}[on])
	switch {
	case on && c.party.playing == 0:
		c.playHold()
	case !on && talk.hold != 0:
		talk.hold = 0
		c.StopPlay()
	}
}

// playHold begins the hold tone. It covers what is heard of the other side.
func (c *Call) playHold() {
	token, err := c.play(c.engine.config.HoldTone, true)
	if err == nil {
		c.party.talk.hold = token
	}
}

// across has the call at the other end do something, if it is still there.
func (c *Call) across(do func(*Call)) {
	id := c.record.ID
	c.tellCall(c.party.hearer, command{result: make(chan error, 1), do: func(other *Call) error {
		if other.party.hearer == id && other.party.talking {
			do(other)
		}
		return nil
	}})
}

// hears notes who the party hears from now on. What an API made of the conversation
// before does not hold for that one.
func (c *Call) hears(other ID, who directory.Address) {
	if c.party.talking && !c.party.hearer.IsZero() {
		c.endTape("the other side is another one")
	}
	c.leaveTalk()
	c.party.hearer, c.party.talk.with = other, who
	c.publish()
}

// leaveTalk undoes what an API made of the conversation.
func (c *Call) leaveTalk() {
	c.giveUpTape()
	was := c.party.talk
	c.party.talk = conversation{}
	if was.hushed {
		_ = c.engine.config.Sound.Mute(c.Stream(), false)
	}
	if was.hold != 0 && c.party.playing == was.hold {
		c.party.playing = 0
		c.StopPlay()
	}
}

// play has the party hear a prompt in place of what it hears, and notes its token.
func (c *Call) play(p *media.Prompt, loop bool) (token uint64, err error) {
	c.waiting.token++
	token = c.waiting.token
	if err := c.engine.config.Sound.Play(c.Stream(), p, media.PlayOptions{Token: token, Loop: loop}); err != nil {
		return 0, fmt.Errorf("play %s: %w", redact(p.Name), err)
	}
	c.party.playing = token
	return token, nil
}

// played takes that something is heard no more.
func (c *Call) played(ended PlayEnded) {
	talk := &c.party.talk
	if ended.Token == talk.hold {
		talk.hold = 0
	}
	if ended.Token == c.party.playing {
		c.party.playing = 0
	}
	c.announced(ended)
	if talk.held && c.party.playing == 0 {
		c.playHold()
	}
}

// silence is a prompt without sound.
func silence() *media.Prompt {
	p := &media.Prompt{Name: "silence", ULaw: make([]byte, media.FrameSize), ALaw: make([]byte, media.FrameSize)}
	for i := range p.ULaw {
		p.ULaw[i], p.ALaw[i] = 0xFF, 0xD5 // zero in either coding (G.711)
	}
	return p
}
