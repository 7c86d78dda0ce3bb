// SPDX-License-Identifier: MIT

package postgres

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/store"
)

// callColumns are the columns of calls.
const callColumns = `id, account, app, number, direction, caller, from_address, to_address, diversion,
	parent, chain, node, state, cause, answered_by, started_at, answered_at, ended_at, dialect, settled, trunk, media`

// callRow is a row of calls as JSON, both ways.
type callRow struct {
	ID         engine.ID           `json:"id"`
	Account    string              `json:"account"`
	App        string              `json:"app"`
	Number     string              `json:"number"`
	Direction  engine.Direction    `json:"direction"`
	Caller     string              `json:"caller"`
	From       directory.Address   `json:"from_address"`
	To         directory.Address   `json:"to_address"`
	Diversion  string              `json:"diversion"`
	Parent     engine.ID           `json:"parent,omitzero"`
	Chain      engine.ID           `json:"chain,omitzero"`
	Node       string              `json:"node"`
	State      engine.State        `json:"state"`
	Cause      engine.Cause        `json:"cause"`
	AnsweredBy *directory.Address  `json:"answered_by"`
	StartedAt  time.Time           `json:"started_at"`
	AnsweredAt *time.Time          `json:"answered_at"`
	EndedAt    *time.Time          `json:"ended_at"`
	Dialect    engine.DialectState `json:"dialect"`
	Settled    bool                `json:"settled"`
	Trunk      string              `json:"trunk"`
	Media      *media.Figures      `json:"media"`
}

func rowOfRecord(r engine.Record) callRow {
	row := callRow{
		ID: r.ID, Account: r.Account, App: r.App, Number: r.Number, Direction: r.Direction, Caller: r.Caller,
		From: r.From, To: r.To, Diversion: r.Diversion, Parent: r.Parent, Chain: r.Chain, Node: r.Node,
		State: r.State, Cause: r.Cause, AnsweredBy: r.AnsweredBy, StartedAt: moment(r.StartedAt),
		AnsweredAt: momentOrNull(r.AnsweredAt), EndedAt: momentOrNull(r.EndedAt), Dialect: r.Dialect, Settled: r.Settled,
		Trunk: r.Trunk, Media: r.Media,
	}
	if row.Dialect == nil {
		row.Dialect = engine.DialectState{} // null would be no value at all
	}
	return row
}

func (row callRow) record() engine.Record {
	if len(row.Dialect) == 0 {
		row.Dialect = nil
	}
	return engine.Record{
		ID: row.ID, Account: row.Account, App: row.App, Number: row.Number, Direction: row.Direction, Caller: row.Caller,
		From: row.From, To: row.To, Diversion: row.Diversion, Parent: row.Parent, Chain: row.Chain, Node: row.Node,
		State: row.State, Cause: row.Cause, AnsweredBy: row.AnsweredBy, StartedAt: moment(row.StartedAt),
		AnsweredAt: momentOrNull(row.AnsweredAt), EndedAt: momentOrNull(row.EndedAt), Dialect: row.Dialect, Settled: row.Settled,
		Trunk: row.Trunk, Media: row.Media,
	}
}

// eventRow is a row of call_events as JSON; the database gives the id.
type eventRow struct {
	ID   int64            `json:"id,omitzero"`
	Call engine.ID        `json:"call"`
	Seq  int              `json:"seq"`
	At   time.Time        `json:"at"`
	Kind engine.EventKind `json:"kind"`
	Text string           `json:"text"`
	Data json.RawMessage  `json:"data"`
}

func rowOfEvent(e engine.Event) (eventRow, error) {
	data, err := store.DataJSON(e.Data)
	if err != nil {
		return eventRow{}, err
	}
	return eventRow{Call: e.Call, Seq: e.Seq, At: moment(e.At), Kind: e.Kind, Text: e.Text, Data: json.RawMessage(data)}, nil
}

func (row eventRow) event() (store.Event, error) {
	e := store.Event{ID: row.ID, Event: engine.Event{Call: row.Call, Seq: row.Seq, At: moment(row.At), Kind: row.Kind, Text: row.Text}}
	if err := json.Unmarshal(row.Data, &e.Data); err != nil {
		return e, fmt.Errorf("read event %d of call %s: %w", row.ID, row.Call, err)
	}
	return e, nil
}

// registrationColumns are the columns of registrations.
const registrationColumns = `account, user_id, contact, source, call_id, cseq, agent, node, expires_at`

// registrationRow is a row of registrations as JSON.
type registrationRow struct {
	Account string    `json:"account"`
	User    string    `json:"user_id"`
	Contact string    `json:"contact"`
	Source  string    `json:"source"`
	CallID  string    `json:"call_id"`
	CSeq    uint32    `json:"cseq"`
	Agent   string    `json:"agent"`
	Node    string    `json:"node"`
	Expires time.Time `json:"expires_at"`
}

func rowOfRegistration(r directory.Registration) registrationRow {
	r.Expires = moment(r.Expires)
	return registrationRow(r)
}

// newer says whether a registration is newer than one that comes after it; it is
// what endOlderRegistrations spares.
func (row registrationRow) newer(than registrationRow) bool {
	switch {
	case row.Node == than.Node:
		return false
	case row.CallID == than.CallID:
		return row.CSeq > than.CSeq
	}
	return row.Expires.After(than.Expires)
}

func (row registrationRow) registration() directory.Registration {
	row.Expires = moment(row.Expires)
	return directory.Registration(row)
}

// objectColumns are the columns of objects.
const objectColumns = `kind, account, id, body, file_hash, updated_at`

// objectRow is a row of objects as JSON.
type objectRow struct {
	Kind      string          `json:"kind"`
	Account   string          `json:"account"`
	ID        string          `json:"id"`
	Body      json.RawMessage `json:"body"`
	FileHash  string          `json:"file_hash"`
	UpdatedAt time.Time       `json:"updated_at"`
}

func rowOfObject(o store.Object) objectRow {
	return objectRow{
		Kind: o.Kind, Account: o.Account, ID: o.ID, Body: o.Body, FileHash: o.FileHash, UpdatedAt: moment(o.UpdatedAt),
	}
}

func (row objectRow) object() store.Object {
	return store.Object{
		Kind: row.Kind, Account: row.Account, ID: row.ID, Body: row.Body, FileHash: row.FileHash, UpdatedAt: moment(row.UpdatedAt),
	}
}

// moment is a time as it is kept: in UTC, with microseconds.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// momentOrNull gives nil for what has not happened yet.
func momentOrNull(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	m := moment(*t)
	return &m
}
