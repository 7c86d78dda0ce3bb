// SPDX-License-Identifier: MIT

package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

// Journaled gives an Open whose stores write nothing but through the journal.
// open must put between at the place of the Database that its Writer writes to.
//
// That one is away from the start and whenever it was there once, so each live
// transaction fails: by turns before it is done and, as when the connection
// breaks behind a commit, after.
func Journaled(open func(ctx context.Context, place string, between func(store.Database) store.Database) (Store, error)) func(context.Context, string) (Store, error) {
	return func(ctx context.Context, place string) (Store, error) {
		return open(ctx, place, func(db store.Database) store.Database { return &fickle{Database: db} })
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

// caughtUp gives an Open whose stores are read only when the database has what
// was durable before. While it goes straight there, nothing is waited for. What
// is in the journal is waited for until it is written: the database was away, or a
// busy machine has kept it from answering in time.
func caughtUp(open func(context.Context, string) (Store, error)) func(context.Context, string) (Store, error) {
	return func(ctx context.Context, place string) (Store, error) {
		s, err := open(ctx, place)
		if err != nil {
			return nil, err
		}
		return &patient{Store: s}, nil
	}
}

// patient is a Store that is read when the database has what was durable.
type patient struct{ Store }

// settle waits until all that is durable is in the database.
func (p *patient) settle(ctx context.Context) error {
	if p.Store.Ping(ctx) == nil {
		return nil // nothing is in the journal
	}
	return p.Applied(ctx)
}

// settleAll also waits until nothing is replayed: before that, nobody knows what is
// not there.
func (p *patient) settleAll(ctx context.Context) error {
	return errors.Join(p.settle(ctx), p.Ping(ctx))
}

func (p *patient) Follow(ctx context.Context, after int64, give func(id int64, e engine.Event) error) error {
	if err := p.settle(ctx); err != nil {
		return err
	}
	return p.Store.Follow(ctx, after, give)
}

func (p *patient) Calls(ctx context.Context, limit int, cursor string) ([]engine.Record, string, error) {
	if err := p.settle(ctx); err != nil {
		return nil, "", err
	}
	return p.Store.Calls(ctx, limit, cursor)
}

func (p *patient) Call(ctx context.Context, id engine.ID) (engine.Record, []engine.Event, error) {
	if err := p.settleAll(ctx); err != nil {
		return engine.Record{}, nil, err
	}
	return p.Store.Call(ctx, id)
}

func (p *patient) Talked(ctx context.Context, since time.Time) (time.Duration, error) {
	if err := p.settle(ctx); err != nil {
		return 0, err
	}
	return p.Store.Talked(ctx, since)
}

func (p *patient) OpenRecords(ctx context.Context, node string) ([]engine.Record, error) {
	if err := p.settle(ctx); err != nil {
		return nil, err
	}
	return p.Store.OpenRecords(ctx, node)
}

func (p *patient) LastEvent(ctx context.Context, id engine.ID) (engine.Event, error) {
	if err := p.settle(ctx); err != nil {
		return engine.Event{}, err
	}
	return p.Store.LastEvent(ctx, id)
}

func (p *patient) Registrations(ctx context.Context) ([]directory.Registration, error) {
	if err := p.settle(ctx); err != nil {
		return nil, err
	}
	return p.Store.Registrations(ctx)
}

func (p *patient) Recording(ctx context.Context, account string, id engine.ID) (engine.Recording, error) {
	if err := p.settleAll(ctx); err != nil {
		return engine.Recording{}, err
	}
	return p.Store.Recording(ctx, account, id)
}

func (p *patient) Recordings(ctx context.Context, f engine.RecordingFilter, limit int, cursor string) ([]engine.Recording, string, error) {
	if err := p.settleAll(ctx); err != nil {
		return nil, "", err
	}
	return p.Store.Recordings(ctx, f, limit, cursor)
}

func (p *patient) Messages(ctx context.Context, account, box string) (unheard, heard int, err error) {
	if err := p.settle(ctx); err != nil {
		return 0, 0, err
	}
	return p.Store.Messages(ctx, account, box)
}

func (p *patient) Past(ctx context.Context, f engine.PastFilter, limit, offset int) (past []engine.Past, total int, err error) {
	if err := p.settle(ctx); err != nil {
		return nil, 0, err
	}
	return p.Store.Past(ctx, f, limit, offset)
}

func (p *patient) EventsOf(ctx context.Context, account string, kinds []engine.EventKind, limit int) ([]engine.Event, error) {
	if err := p.settle(ctx); err != nil {
		return nil, err
	}
	return p.Store.EventsOf(ctx, account, kinds, limit)
}

// Ping is nil again when there is nothing to replay any more.
func (p *patient) Ping(ctx context.Context) error {
	for {
		err := p.Store.Ping(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}
