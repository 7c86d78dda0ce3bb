// SPDX-License-Identifier: MIT

package engine

import "context"

// Change is one thing to be kept. The list is closed: RecordSaved, EventAdded.
type Change interface{ change() }

// RecordSaved keeps the state of a Call as it is now, in place of what was kept
// of it before.
type RecordSaved struct{ Record Record }

// EventAdded keeps one more event of a Call's timeline.
type EventAdded struct{ Event Event }

func (RecordSaved) change() {}
func (EventAdded) change()  {}

// Journal takes changes, in order, and makes them durable.
type Journal interface {
	// Append takes changes that belong together: all of them are kept or, if
	// the process dies now, none. It does not wait for the disk.
	Append(changes ...Change)
	// Durable returns when everything appended before is safe from a crash of
	// the process. What is told to the outside waits for it.
	Durable(ctx context.Context) error
	// Health gives nil while changes are kept as they come. Otherwise it says
	// why not, and no new calls are taken: what is appended waits in memory, and
	// would be lost with the process.
	Health() error
}
