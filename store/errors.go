// SPDX-License-Identifier: MIT

package store

import "io/fs"

// The errors that a caller can tell apart. Each is also one of the standard
// library's, for callers that know the store only by an interface of theirs:
// errors.Is(err, fs.ErrNotExist) holds of an ErrNotFound.
var (
	// ErrNotFound: nothing is kept under that id. Also fs.ErrNotExist.
	ErrNotFound error = &sentinel{"not found", fs.ErrNotExist}
	// ErrCursor: the cursor was not given out here. Also fs.ErrInvalid.
	ErrCursor error = &sentinel{"the cursor is not one that was given out; leave it away to begin with the newest", fs.ErrInvalid}
	// ErrRefused: the database takes no such change, now or ever: it breaks a
	// constraint, or holds what cannot be written. Also fs.ErrInvalid.
	ErrRefused error = &sentinel{"the database refuses the change", fs.ErrInvalid}
	// ErrClosed: the store was closed meanwhile. Also fs.ErrClosed.
	ErrClosed error = &sentinel{"the store is closed", fs.ErrClosed}
)

type sentinel struct {
	text string
	kind error
}

func (s *sentinel) Error() string { return s.text }
func (s *sentinel) Unwrap() error { return s.kind }
