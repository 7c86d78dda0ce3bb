// SPDX-License-Identifier: MIT

package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/callwright/callwright/directory"
)

// Box is whose voicemail answers the call: that of the first user whom it concerns,
// or of the first of its number's, else the number's own. It is empty where somebody
// was called who is none of ours.
func (c *Call) Box() string {
	users, to := c.engine.directory.UsersOf(c.called.number), c.record.To
	switch {
	case c.record.Direction == In:
		users = slices.Concat(c.called.users, users)
	case to.Kind == directory.KindUser:
		return to.Value
	case to.Kind == directory.KindGroup:
		users = c.engine.directory.Members(c.record.Account, to.Value)
	}
	switch n := c.called.number.Number; {
	case len(users) > 0:
		return users[0].ID
	case directory.IsNumber(n):
		return directory.NormalizeNumber(n)
	case n == "":
		return ""
	}
	return to.Value // the number is a pattern
}

// MarkRecording says that a message was heard, or that it was not. The error is
// fs.ErrNotExist for one that is not there, or why that could not be kept.
func (e *Engine) MarkRecording(ctx context.Context, account string, id ID, heard bool) error {
	r, err := e.config.Kept.Recording(ctx, account, id)
	if err != nil {
		return fmt.Errorf("look for the recording: %w", err)
	}
	if heard == (r.HeardAt != nil) {
		return nil
	}
	r.HeardAt = nil
	if heard {
		now := time.Now()
		r.HeardAt = &now
	}
	return e.changeRecording(ctx, r, RecordingSaved{r})
}

// PathOf gives where the file of a recording is on this machine.
func (c *Call) PathOf(r Recording) string { return c.engine.pathOf(r) }

func (e *Engine) pathOf(r Recording) string {
	return filepath.Join(e.config.Recordings, filepath.Base(r.File))
}

// Heard says that a message was heard. It does not wait.
func (c *Call) Heard(r Recording) {
	e := c.engine
	e.goroutines.Go(func() {
		if err := e.MarkRecording(e.ctx, r.Account, r.ID, true); err != nil {
			c.log.Warn("a message that was heard is not marked", "recording", r.ID.String(), "err", err)
		}
	})
}

// DeleteRecording forgets a recording and deletes its file. The errors are those of
// MarkRecording.
func (e *Engine) DeleteRecording(ctx context.Context, account string, id ID) error {
	r, err := e.config.Kept.Recording(ctx, account, id)
	if err != nil {
		return fmt.Errorf("look for the recording: %w", err)
	}
	if err := e.changeRecording(ctx, r, RecordingDeleted{Account: account, ID: id}); err != nil {
		return err
	}
	err = os.Remove(e.pathOf(r))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete the recording: %w", err)
	}
	return nil
}

// audioURL is where apps can fetch a recording; empty if nowhere.
func (e *Engine) audioURL(r Recording) string {
	if e.config.AudioURL == nil {
		return ""
	}
	return e.config.AudioURL(r)
}

// changeRecording makes a change durable and tells the phones of the box.
func (e *Engine) changeRecording(ctx context.Context, r Recording, change Change) error {
	e.config.Journal.Append(change)
	if err := e.config.Journal.Durable(ctx); err != nil {
		return fmt.Errorf("keep what changes about the recording: %w", err)
	}
	if r.Kind == RecordingMessage {
		e.indicate(r.Account, r.Box)
	}
	return nil
}

// indicate tells the phones of a box how many messages are in it, once what was
// appended so far can be counted. The box of a number has none.
func (e *Engine) indicate(account, box string) {
	if _, ok := e.directory.User(account, box); !ok || e.config.Indicator == nil || e.config.Kept == nil {
		return
	}
	e.goroutines.Go(func() {
		if e.config.Kept.Applied(e.applying) != nil {
			return // the server stops
		}
		e.indicating.Lock()
		defer e.indicating.Unlock()
		unheard, heard, err := e.config.Kept.Messages(e.ctx, account, box)
		if err != nil {
			e.config.Logger.Error("phones are not told of messages", "account", account, "user", box, "err", err)
			return
		}
		e.config.Indicator.Indicate(account, box, unheard, heard)
	})
}
