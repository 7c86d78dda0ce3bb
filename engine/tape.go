// SPDX-License-Identifier: MIT

package engine

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/callwright/callwright/media"
)

// leastMessage is for how long somebody must be heard for it to be a message.
const leastMessage = time.Second

// tape is a recording whose file is not complete.
type tape struct {
	recording Recording
	path      string
	// of is the call that was recorded, where the party goes on as another one; nil
	// is that which has it.
	of *recordedCall
}

// recordedCall is where it is told what becomes of a recording: to the app and on the
// timeline of the call that was recorded.
type recordedCall struct {
	info     CallInfo
	timeline *timeline
}

// endless is for how long nothing must be heard where silence does not end a
// message: what is heard is measured all the same.
const endless = 24 * time.Hour

// countPatience is for how long a caller waits until it is known whether a box is
// full.
const countPatience = 2 * time.Second

// token names the tape in what the media plane tells of it, whichever Call the
// party belongs to by then.
func (t tape) token() uint64 { return binary.BigEndian.Uint64(t.recording.ID[8:]) }

// tapes are those of a party, by their tokens.
type tapes struct {
	all map[uint64]tape
	// current is the token of the one that takes what is said now; 0 if none does.
	current uint64
}

// running says that a recording runs.
func (t tapes) running() bool { return t.current != 0 }

// leave has those whose files are not complete stay recordings of a call that the
// party leaves.
func (t tapes) leave(c *Call) {
	for token, tape := range t.all {
		if tape.of == nil {
			tape.of = &recordedCall{c.Info(), c.timeline}
			t.all[token] = tape
		}
	}
}

// RecordingEnded says that the file of a recording is complete, or will not be.
type RecordingEnded struct {
	// Token is what TakeMessage gave.
	Token uint64
	// Err says why it could not be written; nil if it was.
	Err error
}

func (RecordingEnded) message() {}

// MessageLimits are when a message is over that somebody leaves.
type MessageLimits struct {
	// Longest is how long it may be, Silence for how long nothing must be heard.
	Longest, Silence time.Duration
	// Most is how many a box may hold; 0 is any number. It is the server's alone.
	Most int
}

// BoxFull says whether no more messages fit into a box, with those of callers who
// came before and are not done; otherwise the call has a place in it for as long as
// it lives. A database that cannot say is no reason to take none. The error is what
// Await returns.
func (c *Call) BoxFull(ctx context.Context, box string) (bool, error) {
	kept, most := c.engine.config.Kept, c.engine.config.Messages.Most
	if kept == nil || most == 0 {
		return false, nil
	}
	before := c.engine.boxes.enter(key{c.record.Account, box}, c.record.ID)
	full, err := do(ctx, c, func(ctx context.Context) bool {
		ctx, cancel := context.WithTimeout(ctx, countPatience)
		defer cancel()
		unheard, heard, err := kept.Messages(ctx, c.record.Account, box)
		return before >= most || err == nil && unheard+heard+before >= most
	})
	if full {
		c.engine.boxes.leave(c.record.ID)
		c.log.Warn("a voicemail is full and takes no message: delete some, or raise voicemail.max_messages", "box", box, "messages", most)
		c.Complain(Problem{Sentence: fmt.Sprintf(
			"the voicemail of %s is full and takes no message: delete some of its %d, or raise voicemail.max_messages", box, most)})
	}
	return full, err
}

// TakeMessage records what the party says as a message in a box: the id of a User,
// or a number. It is over when one of the limits is reached, by StopTape, or when
// the party hangs up; RecordingEnded carries the token. Limits that are 0 are those
// of the server. A recording of the call that runs ends.
//
// A message in which hardly anything is heard is not kept.
func (c *Call) TakeMessage(box string, l MessageLimits) (token uint64, err error) {
	runs := c.party.tapes.current
	c.party.tapes.current = 0 // the plane ends it when the next begins
	t, err := c.tape(Recording{Kind: RecordingMessage, Box: box}, c.said(l))
	if err != nil {
		c.party.tapes.current = runs
		return 0, err
	}
	return t.token(), nil
}

// said is to record what the party says, within limits; those that are 0 are the
// server's.
func (c *Call) said(l MessageLimits) media.RecordOptions {
	return media.RecordOptions{
		What:        media.RecordSaid,
		MaxDuration: cmp.Or(l.Longest, c.engine.config.Messages.Longest),
		Silence:     cmp.Or(l.Silence, c.engine.config.Messages.Silence, endless),
	}
}

// startRecording begins to record the party, for a call that an API knows it by, and
// gives the path of the file.
func (c *Call) startRecording(of ID, what media.RecordWhat) (path string, err error) {
	t, err := c.tape(Recording{Kind: RecordingCall, Call: of}, media.RecordOptions{What: what})
	return t.path, err
}

// tape begins to record.
func (c *Call) tape(r Recording, o media.RecordOptions) (tape, error) {
	switch {
	case c.party.tapes.running():
		return tape{}, ErrRecording
	case c.party.leg == nil || !c.party.sound && !c.Answered():
		return tape{}, ErrNoSound
	}
	r.ID, r.Account, r.Call, r.StartedAt = NewID(), c.record.Account, cmp.Or(r.Call, c.record.ID), time.Now()
	r.From, r.To = c.record.From, c.record.To
	r.File = tapeName(r)
	t := tape{recording: r, path: c.PathOf(r)}
	o.Token, o.Path = t.token(), t.path
	if err := c.engine.config.Recorder.Record(c.Stream(), o); err != nil {
		return tape{}, fmt.Errorf("record the call: %w", err)
	}
	if c.party.tapes.all == nil {
		c.party.tapes.all = map[uint64]tape{}
	}
	c.party.tapes.all[o.Token], c.party.tapes.current = t, o.Token
	c.publish()
	c.note(EventRecording, Data{File: r.File}, "recording into %s", t.path)
	return t, nil
}

func (c *Call) pauseTape(pause bool) error {
	if !c.party.tapes.running() {
		return ErrNotRecording
	}
	if err := c.engine.config.Recorder.PauseRecord(c.Stream(), pause); err != nil {
		return fmt.Errorf("pause the recording: %w", err)
	}
	text := "recording goes on"
	if pause {
		text = "recording pauses"
	}
	c.note(EventRecording, Data{}, "%s", text)
	return nil
}

// StopTape ends the recording that runs; RecordingEnded follows when its file is
// complete. The error is ErrNotRecording.
func (c *Call) StopTape() error {
	if !c.party.tapes.running() {
		return ErrNotRecording
	}
	if err := c.engine.config.Recorder.StopRecord(c.Stream()); err != nil {
		return fmt.Errorf("stop the recording: %w", err)
	}
	c.party.tapes.current = 0 // what is said from now on is not on it, and may be on the next
	c.publish()
	return nil
}

// endTape ends the recording that runs, if one does, and says why.
func (c *Call) endTape(why string) {
	if c.party.tapes.running() {
		c.note(EventRecording, Data{}, "the recording ends: %s", why)
		_ = c.StopTape() // a stream that is gone is recorded no more
	}
}

// recorded hears that a file is complete, or that it will not be.
func (c *Call) recorded(ev media.Event) Message {
	t, ok := c.party.tapes.all[ev.Token]
	if !ok {
		return nil
	}
	delete(c.party.tapes.all, ev.Token)
	if c.party.tapes.current == ev.Token {
		c.party.tapes.current = 0
		c.publish()
	}
	c.file(t, ev)
	return RecordingEnded{Token: ev.Token, Err: ev.Err}
}

// file keeps a recording that is complete, or discards one that is not worth it or
// could not be written.
func (c *Call) file(t tape, ev media.Event) {
	t.recording.Duration = ev.Duration
	if t.of == nil {
		t.of = &recordedCall{c.Info(), c.timeline}
	}
	note := func(format string, args ...any) {
		t.of.timeline.add(time.Now(), EventRecording, fmt.Sprintf(format, args...), Data{})
	}
	message := t.recording.Kind == RecordingMessage
	if ev.Err != nil {
		c.log.Error("a recording failed: look after the folder of recordings and its disk",
			"kind", t.recording.Kind, "box", t.recording.Box, "file", t.path, "after", ev.Duration, "err", ev.Err)
	}
	switch {
	case ev.Err != nil && message:
		lost := Problem{Sentence: fmt.Sprintf(
			"the message in the voicemail of %s is lost: %s: look after the folder of recordings and its disk", t.recording.Box, ev.Err)}
		t.of.timeline.add(time.Now(), EventProblem, lost.String(), Data{Problem: &lost})
		c.discard(t)
	case message && ev.Heard < leastMessage:
		note("no message: %.1f s of sound are not kept", ev.Heard.Seconds())
		c.discard(t)
	case ev.Err != nil && ev.Duration == 0:
		note("recording failed: %s", ev.Err)
		c.discard(t)
	case ev.Duration == 0:
		note("nothing was recorded")
		c.discard(t)
	default:
		c.keep(t, ev)
	}
}

// keep keeps a recording whose file is complete, and tells the app of it.
func (c *Call) keep(t tape, ev media.Event) {
	r := t.recording
	text := fmt.Sprintf("recorded %.1f s", r.Duration.Seconds())
	if r.Kind == RecordingMessage {
		text = fmt.Sprintf("message of %.1f s for %s", r.Duration.Seconds(), r.Box)
	}
	switch ev.Reason {
	case media.RecordSilent:
		text += ", until nothing more was heard"
	case media.RecordFull:
		text += ", which is the longest there may be"
	}
	if ev.Err != nil {
		text = fmt.Sprintf("recording failed: %s; %.1f s are kept", ev.Err, r.Duration.Seconds())
	}
	data := Data{File: r.File, Recording: &r, URL: c.engine.audioURL(r)}
	if u, ok := c.User(r.Box); ok {
		owner := u.Address()
		data.Party = &owner
	}
	e := t.of.timeline.add(time.Now(), EventRecorded, text, data, RecordingSaved{r})
	c.tellOf(t.of.info, e)
	if r.Kind == RecordingMessage {
		c.engine.boxes.keeps(r.Call)
		c.engine.indicate(r.Account, r.Box)
	}
}

// discard deletes a file that is not to be kept.
func (c *Call) discard(t tape) {
	c.engine.goroutines.Go(func() {
		if err := os.Remove(t.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			c.log.Error("a recording that is not kept could not be deleted", "file", t.path, "err", err)
		}
	})
}
