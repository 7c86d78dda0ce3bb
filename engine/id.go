// SPDX-License-Identifier: MIT

package engine

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// ID names a Call, and later a Room or a Recording, for ever: a UUID of
// version 7 (RFC 9562 section 5.7), so ids sort by the time they were made.
// Every face renders it in its vendor's shape.
type ID [16]byte

// NewID makes an ID from the present time and the system's randomness.
func NewID() ID {
	var id ID
	// crypto/rand.Read never returns an error; it ends the program instead.
	rand.Read(id[6:])
	binary.BigEndian.PutUint64(id[:8], uint64(time.Now().UnixMilli())<<16|uint64(id[6])<<8|uint64(id[7]))
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// IsZero says whether id names nothing.
func (id ID) IsZero() bool { return id == ID{} }

// String gives the usual form, 8-4-4-4-12 in lower case.
func (id ID) String() string {
	h := id.Hex()
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Hex gives the 32 hexadecimal digits in lower case.
func (id ID) Hex() string { return hex.EncodeToString(id[:]) }

// MarshalText gives the form of String; a zero ID is empty.
func (id ID) MarshalText() ([]byte, error) {
	if id.IsZero() {
		return nil, nil
	}
	return []byte(id.String()), nil
}

// UnmarshalText reads what ParseID reads; empty text is the zero ID.
func (id *ID) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*id = ID{}
		return nil
	}
	parsed, err := ParseID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// ParseID reads an id with or without dashes, in either case.
func ParseID(s string) (ID, error) {
	var id ID
	digits := strings.ReplaceAll(s, "-", "")
	if len(digits) != 2*len(id) {
		return ID{}, fmt.Errorf("id %q: want 32 hexadecimal digits, with or without dashes", s)
	}
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil {
		return ID{}, fmt.Errorf("id %q: %w", s, err)
	}
	return id, nil
}
