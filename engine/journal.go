// SPDX-License-Identifier: MIT

package engine

import (
	"context"

	"github.com/callwright/callwright/directory"
)

// Change is one thing to be kept. The list is closed: RecordSaved, EventAdded,
// RegistrationSaved, RegistrationEnded, RecordingSaved, RecordingDeleted.
type Change interface{ change() }

// RecordSaved keeps the state of a Call as it is now, in place of what was kept
// of it before.
type RecordSaved struct{ Record Record }

// EventAdded keeps one more event of a Call's timeline.
type EventAdded struct{ Event Event }

// RegistrationSaved keeps where a User's phone is, in place of what was kept of
// the same Account, User and Contact, unless that is newer: while the database
// was away from this Node, the phone may have registered at another. What one
// Node says comes in its order. Of two Nodes the higher CSeq is newer if the
// CallID is the same (RFC 3261 section 10.3), else what expires later: a clock
// says it, but phones ask for the same time again and again.
type RegistrationSaved struct{ Registration directory.Registration }

// RegistrationEnded forgets where a User's phone was.
type RegistrationEnded struct{ Account, User, Contact string }

// RecordingSaved keeps what is known of a Recording, in place of what was before.
// It does nothing once the Recording was deleted: a Node that could not reach the
// database may say late what it knew.
type RecordingSaved struct{ Recording Recording }

// RecordingDeleted forgets a Recording, for ever.
type RecordingDeleted struct {
	Account string
	ID      ID
}

func (RecordingSaved) change()    {}
func (RecordingDeleted) change()  {}
func (RecordSaved) change()       {}
func (EventAdded) change()        {}
func (RegistrationSaved) change() {}
func (RegistrationEnded) change() {}

// Journal takes changes, in order, and makes them durable.
type Journal interface {
	// Append takes changes that belong together: all of them are kept or, if
	// the process dies now, none. It does not wait for the disk.
	Append(changes ...Change)
	// Durable returns when everything appended before is safe from a crash of
	// the process: in the database, or, while that is away, in a local file
	// from which it is brought there. What is told to the outside waits for it.
	Durable(ctx context.Context) error
	// Health gives nil while changes are kept as they come. Otherwise it says
	// why not, and no new calls are taken: what is appended waits in memory, and
	// would be lost with the process.
	Health() error
}
