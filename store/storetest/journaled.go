// SPDX-License-Identifier: MIT

package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

// Journaled gives an Open whose stores write nothing but through the journal.
// open must put between at the place of the Database that its Writer writes to.
//
// That one is away from the start and whenever it was there once, so each live
// transaction fails: by turns before it is done and, as when the connection
// breaks behind a commit, after. What is then read waits until all that was
// appended before is in the database.
func Journaled(open func(ctx context.Context, place string, between func(store.Database) store.Database) (Store, error)) func(context.Context, string) (Store, error) {
	return func(ctx context.Context, place string) (Store, error) {
		f := &fickle{}
		s, err := open(ctx, place, func(db store.Database) store.Database {
			f.Database = db
			return f
		})
		if err != nil {
			return nil, err
		}
		return &journaled{Store: s}, nil
	}
}

// errFickle is what a fickle database says every other time.
var errFickle = errors.New("away, as half of the time")

// fickle is a database that takes every other transaction only.
type fickle struct {
	store.Database

	mu    sync.Mutex
	tries int
}

func (f *fickle) Write(ctx context.Context, changes []engine.Change) error {
	f.mu.Lock()
	try := f.tries
	f.tries++
	f.mu.Unlock()
	if try%4 == 0 {
		return errFickle
	}
	if err := f.Database.Write(ctx, changes); err != nil {
		return err
	}
	if try%4 == 2 {
		return errFickle
	}
	return nil
}

// journaled is a Store with a fickle database below.
type journaled struct{ Store }

// settle waits until all that was appended is in the database.
func (j *journaled) settle(ctx context.Context) error { return j.Applied(ctx) }

// settleAll also waits until nothing is replayed: before that, nobody knows what is
// not there.
func (j *journaled) settleAll(ctx context.Context) error {
	return errors.Join(j.settle(ctx), j.Ping(ctx))
}

func (j *journaled) Follow(ctx context.Context, after int64, give func(id int64, e engine.Event) error) error {
	if err := j.settle(ctx); err != nil {
		return err
	}
	return j.Store.Follow(ctx, after, give)
}

func (j *journaled) Calls(ctx context.Context, limit int, cursor string) ([]engine.Record, string, error) {
	if err := j.settle(ctx); err != nil {
		return nil, "", err
	}
	return j.Store.Calls(ctx, limit, cursor)
}

func (j *journaled) Call(ctx context.Context, id engine.ID) (engine.Record, []engine.Event, error) {
	if err := j.settleAll(ctx); err != nil {
		return engine.Record{}, nil, err
	}
	return j.Store.Call(ctx, id)
}

func (j *journaled) Talked(ctx context.Context, since time.Time) (time.Duration, error) {
	if err := j.settle(ctx); err != nil {
		return 0, err
	}
	return j.Store.Talked(ctx, since)
}

func (j *journaled) OpenRecords(ctx context.Context, node string) ([]engine.Record, error) {
	if err := j.settle(ctx); err != nil {
		return nil, err
	}
	return j.Store.OpenRecords(ctx, node)
}

func (j *journaled) LastEvent(ctx context.Context, id engine.ID) (engine.Event, error) {
	if err := j.settle(ctx); err != nil {
		return engine.Event{}, err
	}
	return j.Store.LastEvent(ctx, id)
}

func (j *journaled) Registrations(ctx context.Context) ([]engine.Registration, error) {
	if err := j.settle(ctx); err != nil {
		return nil, err
	}
	return j.Store.Registrations(ctx)
}

func (j *journaled) Recording(ctx context.Context, account string, id engine.ID) (engine.Recording, error) {
	if err := j.settleAll(ctx); err != nil {
		return engine.Recording{}, err
	}
	return j.Store.Recording(ctx, account, id)
}

func (j *journaled) Recordings(ctx context.Context, f engine.RecordingFilter, limit int, cursor string) ([]engine.Recording, string, error) {
	if err := j.settleAll(ctx); err != nil {
		return nil, "", err
	}
	return j.Store.Recordings(ctx, f, limit, cursor)
}

func (j *journaled) Messages(ctx context.Context, account, box string) (unheard, heard int, err error) {
	if err := j.settle(ctx); err != nil {
		return 0, 0, err
	}
	return j.Store.Messages(ctx, account, box)
}

func (j *journaled) CallsOf(ctx context.Context, account string, limit int, cursor string) ([]engine.Record, string, error) {
	if err := j.settle(ctx); err != nil {
		return nil, "", err
	}
	return j.Store.CallsOf(ctx, account, limit, cursor)
}

func (j *journaled) EventsOf(ctx context.Context, account string, kinds []engine.EventKind, limit int) ([]engine.Event, error) {
	if err := j.settle(ctx); err != nil {
		return nil, err
	}
	return j.Store.EventsOf(ctx, account, kinds, limit)
}

// Ping is nil again when there is nothing to replay any more.
func (j *journaled) Ping(ctx context.Context) error {
	for {
		err := j.Store.Ping(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}
