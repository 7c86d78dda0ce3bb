// SPDX-License-Identifier: MIT

package settings

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/store"
)

// Store keeps objects. Its errors mean that the database is away.
type Store interface {
	// Objects gives all of them.
	Objects(context.Context) ([]store.Object, error)
	// PutObject keeps one, in place of what was kept under its name.
	PutObject(context.Context, store.Object) error
	// DeleteObject forgets one. One that is not kept is store.ErrNotFound.
	DeleteObject(ctx context.Context, kind, account, id string) error
}

// Config is what Settings are made of.
type Config struct {
	Store Store
	// File are the objects of the configuration file.
	File directory.Entries
	// Sample are the objects that hold while there are no others. They are not
	// kept.
	Sample directory.Entries
	// Dialects are the languages that Apps may speak.
	Dialects []string
	// Emergency are the numbers of emergency services.
	Emergency []string
	// Key seals secrets; KeyName says to the operator where it comes from.
	Key     *Key
	KeyName string
	Log     *slog.Logger
}

// Settings are the objects as they are now. All methods may be called at the
// same time.
type Settings struct {
	config    Config
	directory *directory.Directory
	now       atomic.Pointer[directory.Entries] // of kept, in order

	// mu is held as long as a change takes, and that may wait for the database.
	// Who only reads does not ask for it.
	mu sync.Mutex
	// kept are the objects of the database.
	kept map[directory.EntryID]object
}

// patience is how long the database may take to keep a change.
const patience = 5 * time.Second

// object is what is kept of an Entry.
type object struct {
	// entry is nil when it was deleted though the file has it: then it stays
	// deleted until it changes there.
	entry directory.Entry
	// hash is that of the version in the file that was last applied.
	hash string
	// place is where it stands in the file.
	place int
}

// nowhere is the place of an object that is not in the file.
const nowhere = math.MaxInt

// Directory gives the Directory, which follows every change.
func (s *Settings) Directory() *directory.Directory { return s.directory }

// Entries gives all objects with their secrets: those of the file in its order,
// then the others by name. The caller changes nothing in it.
func (s *Settings) Entries() directory.Entries { return *s.now.Load() }

// SampleOff says to the operator why the sample does not answer any more.
const SampleOff = "the sample app answers no more, because users, numbers or trunks are configured: " +
	"calls are taken from users who log in, and from the addresses of trunks (trunks[].allow_from)"

// Sampling says whether nobody can be called yet by what is configured, so that
// the sample holds.
func (s *Settings) Sampling() bool { return sampling(*s.now.Load()) }

func sampling(e directory.Entries) bool { return len(e.Users)+len(e.Numbers)+len(e.Trunks) == 0 }

// Change has an object be what change makes of it, or of nil if it is not
// there. It counts for the next call. Changes are made one after the other;
// change must not alter old, nor change others. The error is what change gave,
// an *directory.EntryError, or says that the object could not be kept; then nothing
// has changed. Who asked may leave: a change that has begun goes on.
func (s *Settings) Change(ctx context.Context, id directory.EntryID, change func(old directory.Entry) (directory.Entry, error)) (created bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	had, there := s.kept[id]
	if !there {
		had.place = nowhere
	}
	next, err := change(had.entry)
	if err != nil {
		return false, err
	}
	next = normal(next)
	if next.EntryID() != id {
		return false, &directory.EntryError{EntryID: id, Problem: "cannot be renamed: make another and delete this one"}
	}
	var alone directory.Entries
	alone.Add(next)
	if err := alone.Check(s.config.Dialects); err != nil {
		return false, err
	}
	created, had.entry = had.entry == nil, next
	all, err := s.with(id, had)
	if err != nil {
		return false, blame(id, err)
	}
	row, err := s.row(id, had)
	if err != nil {
		return false, err
	}
	ctx, cancel := patient(ctx)
	defer cancel()
	if err := s.config.Store.PutObject(ctx, row); err != nil {
		return false, fmt.Errorf("keep %s: %w", id, err)
	}
	s.kept[id] = had
	return created, s.replace(all)
}

// Delete forgets an object. One that is not there is store.ErrNotFound, one that
// others name an *directory.EntryError.
func (s *Settings) Delete(ctx context.Context, id directory.EntryID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	had := s.kept[id]
	if had.entry == nil {
		return fmt.Errorf("delete %s: %w", id, store.ErrNotFound)
	}
	had.entry = nil
	all, err := s.with(id, had)
	var other *directory.EntryError
	if errors.As(err, &other) {
		still := *other
		still.Field, still.Conflict, still.Problem = "", true, "still names "+id.String()
		return &still
	}
	if err != nil {
		return err
	}
	ctx, cancel := patient(ctx)
	defer cancel()
	if err := s.forget(ctx, id, had); err != nil {
		return fmt.Errorf("delete %s: %w", id, err)
	}
	return s.replace(all)
}

// patient is a time for the database that does not end with the one who asked:
// what that one no longer waits for would else be kept, perhaps, and not hold.
func patient(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), patience)
}

// forget deletes an object, or, as long as the file has it, keeps that it is
// deleted.
func (s *Settings) forget(ctx context.Context, id directory.EntryID, had object) error {
	if had.place == nowhere {
		err := s.config.Store.DeleteObject(ctx, id.Kind, id.Account, id.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) { // somebody else was faster
			return err
		}
		delete(s.kept, id)
		return nil
	}
	row, err := s.row(id, had)
	if err != nil {
		return err
	}
	if err := s.config.Store.PutObject(ctx, row); err != nil {
		return err
	}
	s.kept[id] = had
	return nil
}

// with gives all entries as they would be with one object changed, or says why
// they do not fit each other.
func (s *Settings) with(id directory.EntryID, o object) (directory.Entries, error) {
	kept := maps.Clone(s.kept)
	kept[id] = o
	all := inOrder(kept)
	_, err := directory.New(all, s.config.Emergency...)
	return all, err
}

// replace has the entries hold from now on; they were tried before.
func (s *Settings) replace(all directory.Entries) error {
	if before := s.now.Swap(&all); len(s.config.Sample.Numbers) > 0 && sampling(*before) && !sampling(all) {
		s.config.Log.Info(SampleOff)
	}
	return s.directory.Replace(s.orSample(all))
}

// orSample adds the sample while nobody can be called: an App alone, which is
// what one makes first, answers nothing. An App of the sample's name is taken in
// its place.
func (s *Settings) orSample(all directory.Entries) directory.Entries {
	if !sampling(all) {
		return all
	}
	for _, a := range s.config.Sample.Apps {
		if !slices.ContainsFunc(all.Apps, func(other directory.App) bool { return other.Key == a.Key }) {
			all.Apps = append(slices.Clip(all.Apps), a)
		}
	}
	all.Users, all.Numbers, all.Trunks = s.config.Sample.Users, s.config.Sample.Numbers, s.config.Sample.Trunks
	return all
}

// inOrder gives the entries of the file in its order, then the others by name.
func inOrder(kept map[directory.EntryID]object) directory.Entries {
	ids := slices.SortedFunc(maps.Keys(kept), func(a, b directory.EntryID) int {
		return cmp.Or(cmp.Compare(kept[a].place, kept[b].place), cmp.Compare(a.Account, b.Account), cmp.Compare(a.ID, b.ID))
	})
	var all directory.Entries
	for _, id := range ids {
		if o := kept[id]; o.entry != nil {
			all.Add(o.entry)
		}
	}
	return all
}

// blame says of an error that appears at another entry than the one that is
// changed that it is because of this change.
func blame(id directory.EntryID, err error) error {
	var other *directory.EntryError
	if !errors.As(err, &other) || other.EntryID == id {
		return err
	}
	return &directory.EntryError{EntryID: id, Conflict: true, Problem: "does not fit the others: " + other.Error()}
}

// row gives an object as it is kept, its secrets sealed.
func (s *Settings) row(id directory.EntryID, o object) (store.Object, error) {
	body, err := s.config.Key.body(o.entry)
	if err != nil {
		return store.Object{}, fmt.Errorf("write %s: %w", id, err)
	}
	if bytes.Contains(body, []byte(`\u0000`)) {
		return store.Object{}, &directory.EntryError{EntryID: id, Problem: "has a zero character in it, which no database keeps: leave it out"}
	}
	return store.Object{Kind: id.Kind, Account: id.Account, ID: id.ID, Body: body, FileHash: o.hash, UpdatedAt: time.Now()}, nil
}
