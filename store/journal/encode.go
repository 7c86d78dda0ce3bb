// SPDX-License-Identifier: MIT

package journal

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// change is an engine.Change as it is written: exactly one field is set. All of
// it comes back as it was, but for what JSON cannot carry: bytes that are not
// UTF-8 become U+FFFD.
type change struct {
	RecordSaved       *record                   `json:"record_saved,omitempty"`
	EventAdded        *event                    `json:"event_added,omitempty"`
	RegistrationSaved *directory.Registration   `json:"registration_saved,omitempty"`
	RegistrationEnded *engine.RegistrationEnded `json:"registration_ended,omitempty"`
	RecordingSaved    *engine.Recording         `json:"recording_saved,omitempty"`
	RecordingDeleted  *engine.RecordingDeleted  `json:"recording_deleted,omitempty"`
}

// record is a Record with what its JSON does not tell the outside.
type record struct {
	engine.Record
	Dialect engine.DialectState `json:"dialect"`
	Settled bool                `json:"settled"`
}

// event is an Event whose figures stay the text they are, so that no number
// loses a digit on its way.
type event struct {
	engine.Event
	Data data `json:"data"`
}

type data struct {
	engine.Data
	Figures json.RawMessage `json:"figures,omitempty"`
}

// encode writes changes that belong together.
func encode(changes []engine.Change) ([]byte, error) {
	written := make([]change, len(changes))
	for i, c := range changes {
		switch c := c.(type) {
		case engine.RecordSaved:
			written[i].RecordSaved = &record{Record: c.Record, Dialect: c.Record.Dialect, Settled: c.Record.Settled}
		case engine.EventAdded:
			written[i].EventAdded = &event{Event: c.Event, Data: data{Data: c.Event.Data, Figures: figures(c.Event.Data.Figures)}}
		case engine.RegistrationSaved:
			written[i].RegistrationSaved = &c.Registration
		case engine.RegistrationEnded:
			written[i].RegistrationEnded = &c
		case engine.RecordingSaved:
			written[i].RecordingSaved = &c.Recording
		case engine.RecordingDeleted:
			written[i].RecordingDeleted = &c
		default:
			return nil, fmt.Errorf("a change of type %T is not known here", c)
		}
	}
	return json.Marshal(written)
}

// figures are the particulars of an event that only their maker knows. What JSON
// cannot carry (a NaN, a channel) is replaced by a sentence that says so.
func figures(of any) json.RawMessage {
	if of == nil {
		return nil
	}
	text, err := json.Marshal(of)
	if err != nil {
		text, _ = json.Marshal("the figures could not be written: " + err.Error()) // a string always can
	}
	return text
}

// decode reads what encode wrote.
func decode(text []byte) ([]engine.Change, error) {
	var written []change
	if err := json.Unmarshal(text, &written); err != nil {
		return nil, err
	}
	changes := make([]engine.Change, len(written))
	for i, c := range written {
		switch {
		case c.RecordSaved != nil:
			r := c.RecordSaved.Record
			r.Dialect, r.Settled = c.RecordSaved.Dialect, c.RecordSaved.Settled
			changes[i] = engine.RecordSaved{Record: r}
		case c.EventAdded != nil:
			e := c.EventAdded.Event
			e.Data = c.EventAdded.Data.Data
			if f := c.EventAdded.Data.Figures; len(f) > 0 {
				e.Data.Figures = f
			}
			changes[i] = engine.EventAdded{Event: e}
		case c.RegistrationSaved != nil:
			changes[i] = engine.RegistrationSaved{Registration: *c.RegistrationSaved}
		case c.RegistrationEnded != nil:
			changes[i] = *c.RegistrationEnded
		case c.RecordingSaved != nil:
			changes[i] = engine.RecordingSaved{Recording: *c.RecordingSaved}
		case c.RecordingDeleted != nil:
			changes[i] = *c.RecordingDeleted
		default:
			return nil, errors.New("a change is of a kind that is not known here")
		}
	}
	return changes, nil
}
