// SPDX-License-Identifier: MIT

package store

import (
	"encoding/json"
	"fmt"

	"github.com/callwright/callwright/engine"
)

// DataJSON writes the particulars of an event. Figures that JSON cannot carry
// (a NaN, a channel) are replaced by a sentence that says so: one bad figure
// must not hold up the journal, nor vanish.
func DataJSON(d engine.Data) (string, error) {
	b, err := json.Marshal(d)
	if err != nil {
		d.Figures = "the figures could not be written: " + err.Error()
		b, err = json.Marshal(d)
	}
	if err != nil {
		return "", fmt.Errorf("write event data: %w", err)
	}
	return string(b), nil
}

// JSON writes a small structure, such as an Address or a DialectState.
func JSON(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("write %T: %w", v, err)
	}
	return string(b), nil
}
