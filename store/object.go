// SPDX-License-Identifier: MIT

package store

import (
	"encoding/json"
	"fmt"
	"time"
)

// Object is one configured thing as it was last changed, by the configuration
// file or at run time: an account, app, user, group, number or trunk. The store
// does not know what is in it.
type Object struct {
	// Kind says what sort of thing it is. Kind, Account and ID together name it.
	Kind    string
	Account string
	ID      string
	// Body is JSON. It comes back with the same meaning, not with the same bytes.
	Body []byte
	// FileHash is that of the entry in the configuration file which was last
	// applied; empty when it never was in one.
	FileHash string
	// UpdatedAt is when it was last changed; microseconds are kept.
	UpdatedAt time.Time
}

// Check gives the error of an Object that cannot be kept: ErrRefused when it
// has no kind or no id, or when its body is no JSON.
func (o Object) Check() error {
	switch {
	case o.Kind == "" || o.ID == "":
		return fmt.Errorf("%w: it has no kind or no id", ErrRefused)
	case !json.Valid(o.Body):
		return fmt.Errorf("%w: its body is no JSON", ErrRefused)
	}
	return nil
}
