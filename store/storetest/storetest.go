// SPDX-License-Identifier: MIT

package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

// Store is what a database must be able to do.
type Store interface {
	engine.Journal
	Reader
	Recordings
	Objects
	Follow(ctx context.Context, after int64, give func(id int64, e engine.Event) error) error
	Ping(ctx context.Context) error
	Close(ctx context.Context) error
}

// Reader is what is read of calls and registrations.
type Reader interface {
	Calls(ctx context.Context, limit int, cursor string) ([]engine.Record, string, error)
	Call(ctx context.Context, id engine.ID) (engine.Record, []engine.Event, error)
	OpenRecords(ctx context.Context, node string) ([]engine.Record, error)
	LastEvent(ctx context.Context, id engine.ID) (engine.Event, error)
	Registrations(ctx context.Context) ([]directory.Registration, error)
	Talked(ctx context.Context, since time.Time) (time.Duration, error)
}

// Recordings is what is read of recordings, and of one account.
type Recordings interface {
	engine.Recordings
	Recordings(ctx context.Context, f engine.RecordingFilter, limit int, cursor string) ([]engine.Recording, string, error)
	Past(ctx context.Context, f engine.PastFilter, limit, offset int) (past []engine.Past, total int, err error)
	EventsOf(ctx context.Context, account string, kinds []engine.EventKind, limit int) ([]engine.Event, error)
}

// Objects is what is done with configured things.
type Objects interface {
	Objects(ctx context.Context) ([]store.Object, error)
	PutObject(ctx context.Context, o store.Object) error
	DeleteObject(ctx context.Context, kind, account, id string) error
}

// Database is how the suite gets at the database that is tested.
type Database struct {
	// Create makes an empty database, which is gone when the test ends, and
	// gives its path or URL.
	Create func(t testing.TB) string
	// Open opens a database that Create made, in this process or another, and
	// perhaps more than once at a time if Shared.
	Open func(ctx context.Context, place string) (Store, error)
	// Shared says that many may have it open at the same time.
	Shared bool
}

// Run runs the suite.
func Run(t *testing.T, db Database) {
	db.Open = caughtUp(db.Open)
	type test struct {
		name string
		run  func(*testing.T, Database)
	}
	tests := []test{
		{"every field comes back", everyField},
		{"an almost empty call comes back", almostEmpty},
		{"a save replaces all that was saved before", replaced},
		{"strange text and figures are kept", strange},
		{"what is not there is not found", notFound},
		{"events keep their order", eventOrder},
		{"a replay changes nothing", replay},
		{"calls that live are open", openCalls},
		{"a node finds its own open calls", nodesCalls},
		{"calls by trunks are added up", talked},
		{"a registration comes back until it expires", registrations},
		{"a replay of registrations changes nothing", registrationReplay},
		{"a late replay of registrations overwrites no newer one", lateRegistration},
		{"a strange registration is kept", strangeRegistration},
		{"a recording comes back until it is deleted", recordings},
		{"a replay of recordings changes nothing", recordingReplay},
		{"a late replay brings back no deleted recording", lateRecording},
		{"messages of a box are counted", messages},
		{"recordings are found by what they are, page by page", foundRecordings},
		{"the past of an account is found by every filter", foundPast},
		{"the past of an account is its own, page by page", pagesOfPast},
		{"strange words find nothing of the past", strangePast},
		{"an account's events come by kind, newest first", eventsOf},
		{"objects come back as they were put", objects},
		{"an object that cannot be kept is refused", badObjects},
		{"objects are there after Close and Open", reopenedObjects},
		{"pages hold every call once while calls come", paging},
		{"a strange cursor is refused", badCursor},
		{"all is there after Close and Open", reopened},
		{"all that was durable is there after a kill", killed},
		{"fifty append at a time", fifty},
		{"Durable gives up with its context", durableGivesUp},
		{"followers miss nothing and get nothing twice", followers},
		{"a slow follower holds up nobody", slowFollower},
		{"a follower can begin with what comes next", followNext},
		{"a follower ends", followEnds},
	}
	if db.Shared {
		tests = append(tests,
			test{"many processes write in turns", manyProcesses},
			test{"a follower hears of another process", followOther})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, db)
		})
	}
}

// patience is how long the suite waits for what must come. It is no measure of
// speed: a busy machine may take its time.
const patience = 3 * time.Minute

// waiting gives a context that ends with the test, or when patience does.
func waiting(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// fresh opens an empty database that is closed with the test.
func fresh(t testing.TB, db Database) Store {
	t.Helper()
	return open(t, db, db.Create(t))
}

func open(t testing.TB, db Database, place string) Store {
	t.Helper()
	s, err := db.Open(waiting(t), place)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	return s
}

func shut(t testing.TB, s Store) {
	t.Helper()
	if err := s.Close(waiting(t)); err != nil {
		t.Error(err)
	}
}

// keep appends changes that belong together and waits until they are durable.
func keep(t testing.TB, s Store, changes ...engine.Change) {
	t.Helper()
	s.Append(changes...)
	durable(t, s)
}

func durable(t testing.TB, s Store) {
	t.Helper()
	if err := s.Durable(waiting(t)); err != nil {
		t.Fatal(err)
	}
}

// timeline reads a call that must be there.
func timeline(t testing.TB, s Store, id engine.ID) (engine.Record, []engine.Event) {
	t.Helper()
	r, events, err := s.Call(waiting(t), id)
	if err != nil {
		t.Fatal(err)
	}
	return r, events
}
