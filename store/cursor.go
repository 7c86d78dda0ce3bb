// SPDX-License-Identifier: MIT

package store

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/callwright/callwright/engine"
)

// Cursor names the place in a list of calls or recordings, newest first, that is
// behind the one with an id. The list is ordered by id, so what is made while
// somebody turns the pages moves nothing.
func Cursor(id engine.ID) string {
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// ParseCursor gives the id of the last one that was already seen; what follows
// has a smaller one. An empty cursor is before all of them. Anything that Cursor
// did not make is ErrCursor.
func ParseCursor(cursor string) (engine.ID, error) {
	var id engine.ID
	if cursor == "" {
		for i := range id {
			id[i] = 0xff // the greatest; never a version 7 UUID
		}
		return id, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(b) != len(id) {
		return id, fmt.Errorf("cursor %.40q: %w", cursor, ErrCursor)
	}
	copy(id[:], b)
	return id, nil
}

// Page cuts a list that was read with one more than limit: it gives the page, and
// the cursor of the next one, which is empty when there is none.
func Page[T any](list []T, limit int, id func(T) engine.ID) ([]T, string) {
	if len(list) <= limit {
		return list, ""
	}
	return list[:limit], Cursor(id(list[limit-1]))
}

// FirstID is the least id that a call can have which began at a moment or after
// it. Before 1970 there are none, and those behind 48 bits of milliseconds are as the
// last one (RFC 9562 section 5.7).
func FirstID(began time.Time) engine.ID {
	var id engine.ID
	binary.BigEndian.PutUint64(id[:8], uint64(min(max(began.UnixMilli(), 0), 1<<48-1))<<16)
	return id
}
