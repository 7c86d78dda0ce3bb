// SPDX-License-Identifier: MIT

package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/callwright/callwright/engine"
)

const (
	// writeLimit is how long one transaction may take. A database that needs
	// longer is as good as away, and the connection perhaps a dead one.
	writeLimit = 5 * time.Second
	// startPatience is how long a start waits for a database that takes nothing
	// of what an earlier run left.
	startPatience = 10 * time.Second
)

// write applies entries in one transaction. When the database refuses them for
// their own sake, it looks for those at fault by halves: the rest is applied in
// its order, and what is refused alone is put aside.
func (w *Writer) write(ctx context.Context, entries [][]engine.Change) error {
	err := w.transaction(ctx, slices.Concat(entries...))
	if !errors.Is(err, ErrRefused) {
		return err
	}
	if len(entries) == 1 && len(entries[0]) == 1 {
		return w.putAside(entries[0][0], err)
	}
	if len(entries) == 1 { // rather a part of what belongs together than nothing
		entries = slices.Collect(slices.Chunk(entries[0], 1))
	}
	half := len(entries) / 2
	if err := w.write(ctx, entries[:half]); err != nil {
		return err
	}
	return w.write(ctx, entries[half:])
}

func (w *Writer) transaction(ctx context.Context, changes []engine.Change) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	return w.db.Write(ctx, changes)
}

// putAside keeps a change that the database will never take where a person finds
// it.
func (w *Writer) putAside(c engine.Change, why error) error {
	path, err := w.journal.PutAside(c, why)
	if err != nil {
		return err
	}
	w.log.Error("the database refuses a change for ever; it is put aside and the others go on", "file", path, "call", callOf(c), "err", why)
	return nil
}

// catchUp writes what an earlier run left in the journal.
func (w *Writer) catchUp(ctx context.Context) error {
	began, written := time.Now(), 0
	pause, patience := retryFirst, began.Add(startPatience)
	for {
		b, err := w.journal.Next(groupSize)
		if err == nil && len(b.Entries) == 0 {
			break
		}
		if err == nil {
			err = w.write(ctx, b.Entries)
		}
		if err == nil {
			err = w.journal.Done(b)
			written += b.Changes
			pause, patience = retryFirst, time.Now().Add(startPatience)
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil || time.Now().After(patience) {
			return fmt.Errorf("write the %d changes that an earlier run left in the journal %s: %w", w.journal.Waiting(), w.journal.Folder(), err)
		}
		sleep(ctx, nil, pause)
		pause = min(2*pause, retryMost)
	}
	if written > 0 {
		w.log.Info("wrote what an earlier run left in the journal", "changes", written, "took", time.Since(began).Round(time.Millisecond))
	}
	return nil
}
