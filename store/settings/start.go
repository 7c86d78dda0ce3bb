// SPDX-License-Identifier: MIT

package settings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/store"
)

// Open reads what is kept and lays the configuration file over it: what changed
// there since the last start is applied again, all else is left as it was
// changed at run time. What is gone from the file is reported and stays. The
// error says what to change.
func Open(ctx context.Context, c Config) (*Settings, error) {
	s := &Settings{config: c, kept: map[directory.EntryID]object{}}
	rows, err := c.Store.Objects(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the settings from the database: %w", err)
	}
	for _, row := range rows {
		if err := s.load(row); err != nil {
			return nil, err
		}
	}
	changed, err := s.apply(c.File.All())
	if err != nil {
		return nil, err
	}
	if err := s.fit(); err != nil {
		return nil, err
	}
	for _, id := range changed {
		row, err := s.row(id, s.kept[id])
		if err != nil {
			return nil, err
		}
		if err := c.Store.PutObject(ctx, row); err != nil {
			return nil, fmt.Errorf("keep %s: %w", id, err)
		}
	}
	return s, s.report(ctx)
}

// load takes an object that is kept.
func (s *Settings) load(row store.Object) error {
	id := directory.EntryID{Kind: row.Kind, Account: row.Account, ID: row.ID}
	e, err := s.config.Key.entry(row)
	if err == nil && row.FileHash != "" && !s.config.Key.made(row.FileHash) {
		err = ErrKey
	}
	if err == nil && e != nil && e.EntryID() != id {
		err = fmt.Errorf("it calls itself %s", e.EntryID())
	}
	switch {
	case errors.Is(err, ErrKey):
		return fmt.Errorf("read %s from the database: %w than that of %s; put the earlier key back there, "+
			"or let the database setting name another database", id, ErrKey, s.config.KeyName)
	case err != nil:
		s.config.Log.Warn("left out what the database keeps of "+id.String(), "err", err)
	default:
		s.kept[id] = object{entry: e, hash: row.FileHash, place: nowhere}
	}
	return nil
}

// apply lays the entries of the file over what is kept and names those that
// changed.
func (s *Settings) apply(file []directory.Entry) (changed []directory.EntryID, err error) {
	for place, e := range file {
		e = normal(e)
		text, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", e.EntryID(), err)
		}
		id, hash := e.EntryID(), s.config.Key.fingerprint(text)
		o := s.kept[id]
		o.place = place
		if o.hash != hash {
			o.entry, o.hash = e, hash
			changed = append(changed, id)
		}
		s.kept[id] = o
	}
	return changed, nil
}

// fit makes the Directory. What was made at run time gives way to the file: it
// is left out when it does not fit what stands there.
func (s *Settings) fit() (err error) {
	for {
		all := inOrder(s.kept)
		s.now.Store(&all)
		if s.directory, err = directory.New(s.orSample(all), s.config.Emergency...); err == nil {
			return nil
		}
		var wrong *directory.EntryError
		if !errors.As(err, &wrong) {
			return err
		}
		if o, ok := s.kept[wrong.EntryID]; !ok || o.place != nowhere {
			return fmt.Errorf("the configuration does not fit what was changed at run time: %w%s", err, s.deleted())
		}
		s.config.Log.Error("left out what was configured at run time, because it does not fit the configuration file", "err", err)
		delete(s.kept, wrong.EntryID)
	}
}

// deleted is the end of a complaint: what the file has and is not there.
func (s *Settings) deleted() string {
	text := ""
	for id, o := range s.kept {
		if o.entry == nil && o.place != nowhere {
			text += fmt.Sprintf("; %s was deleted by the admin API, and comes back when it changes in the file", id)
		}
	}
	return text
}

// report tells of what is gone from the file, and forgets what was deleted at
// run time and is now gone there, too.
func (s *Settings) report(ctx context.Context) error {
	for id, o := range s.kept {
		switch {
		case o.hash == "" || o.place != nowhere:
		case o.entry != nil:
			s.config.Log.Warn(id.String() + " is no longer in the configuration file and still holds; delete it by the admin API if it is not wanted")
		default:
			if err := s.forget(ctx, id, o); err != nil {
				return fmt.Errorf("forget %s: %w", id, err)
			}
		}
	}
	return nil
}
