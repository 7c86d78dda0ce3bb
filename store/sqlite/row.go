// SPDX-License-Identifier: MIT

package sqlite

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

// timeLayout is a time in UTC with microseconds, always of one width.
const timeLayout = "2006-01-02T15:04:05.000000Z"

func timeText(t time.Time) string { return t.UTC().Format(timeLayout) }

// timeOrNull gives NULL for what has not happened yet.
func timeOrNull(t *time.Time) any {
	if t == nil {
		return nil
	}
	return timeText(*t)
}

// idOrNull gives NULL for the zero id.
func idOrNull(id engine.ID) any {
	if id.IsZero() {
		return nil
	}
	return id.String()
}

// recordColumns are the columns of calls in the order of recordValues and scanRecord.
const recordColumns = `id, account, app, number, direction, caller, from_address, to_address, diversion,
	parent, chain, node, state, cause, answered_by, started_at, answered_at, ended_at, dialect, settled, trunk, media`

func recordValues(r engine.Record) ([]any, error) {
	from, err := store.JSON(r.From)
	if err != nil {
		return nil, err
	}
	to, err := store.JSON(r.To)
	if err != nil {
		return nil, err
	}
	var answeredBy any
	if r.AnsweredBy != nil {
		if answeredBy, err = store.JSON(r.AnsweredBy); err != nil {
			return nil, err
		}
	}
	dialect, err := store.JSON(r.Dialect)
	if err != nil {
		return nil, err
	}
	var figures any
	if r.Media != nil {
		if figures, err = store.JSON(r.Media); err != nil {
			return nil, err
		}
	}
	return []any{
		r.ID.String(), r.Account, r.App, r.Number, string(r.Direction), r.Caller, from, to, r.Diversion,
		idOrNull(r.Parent), idOrNull(r.Chain), r.Node, string(r.State), string(r.Cause), answeredBy,
		timeText(r.StartedAt), timeOrNull(r.AnsweredAt), timeOrNull(r.EndedAt), dialect, r.Settled,
		r.Trunk, figures,
	}, nil
}

// row is one row of a result, or the only one.
type row interface{ Scan(into ...any) error }

func scanRecord(from row) (engine.Record, error) {
	var (
		r                          engine.Record
		id, fromAddr, to, started  string
		dialect                    string
		parent, chain, by, figures sql.NullString
		answered, ended            sql.NullString
		startedAt, answerAt, endAt *time.Time
	)
	err := from.Scan(&id, &r.Account, &r.App, &r.Number, &r.Direction, &r.Caller, &fromAddr, &to, &r.Diversion,
		&parent, &chain, &r.Node, &r.State, &r.Cause, &by, &started, &answered, &ended, &dialect, &r.Settled,
		&r.Trunk, &figures)
	if err != nil {
		return r, err
	}
	into := reader{}
	into.id(&r.ID, id)
	into.id(&r.Parent, parent.String)
	into.id(&r.Chain, chain.String)
	into.json(&r.From, fromAddr)
	into.json(&r.To, to)
	if by.Valid {
		into.json(&r.AnsweredBy, by.String)
	}
	if figures.Valid {
		into.json(&r.Media, figures.String)
	}
	into.json(&r.Dialect, dialect)
	into.time(&startedAt, started)
	into.time(&answerAt, answered.String)
	into.time(&endAt, ended.String)
	if into.err != nil {
		return r, fmt.Errorf("read call %s: %w", id, into.err)
	}
	r.StartedAt, r.AnsweredAt, r.EndedAt = *startedAt, answerAt, endAt
	return r, nil
}

// eventColumns are the columns of call_events in the order of scanEvent.
const eventColumns = `id, call, seq, at, kind, text, data`

func scanEvent(from row) (store.Event, error) {
	var (
		e              store.Event
		call, at, data string
		when           *time.Time
	)
	if err := from.Scan(&e.ID, &call, &e.Seq, &at, &e.Kind, &e.Text, &data); err != nil {
		return e, err
	}
	into := reader{}
	into.id(&e.Call, call)
	into.time(&when, at)
	into.json(&e.Data, data)
	if into.err != nil {
		return e, fmt.Errorf("read event %d of call %s: %w", e.ID, call, into.err)
	}
	e.At = *when
	return e, nil
}

// registrationColumns are the columns of registrations in the order of
// registrationValues and scanRegistration.
const registrationColumns = `account, user_id, contact, source, call_id, cseq, agent, node, expires_at`

func registrationValues(r directory.Registration) []any {
	return []any{r.Account, r.User, asJournal(r.Contact), r.Source, asJournal(r.CallID), r.CSeq, r.Agent, r.Node, timeText(r.Expires)}
}

// asJournal gives a text of a phone's as the journal has it, which is JSON: each
// byte that is no UTF-8 is replaced. By it a registration is known, whichever way
// it comes, and once more when it is replayed.
func asJournal(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return string([]rune(text))
}

func scanRegistration(from row) (directory.Registration, error) {
	var (
		r       directory.Registration
		expires string
		when    *time.Time
	)
	err := from.Scan(&r.Account, &r.User, &r.Contact, &r.Source, &r.CallID, &r.CSeq, &r.Agent, &r.Node, &expires)
	if err != nil {
		return r, err
	}
	into := reader{}
	into.time(&when, expires)
	if into.err != nil {
		return r, fmt.Errorf("read a registration of user %s: %w", r.User, into.err)
	}
	r.Expires = *when
	return r, nil
}

// reader turns columns back into values until the first that cannot be.
type reader struct{ err error }

func (r *reader) id(into *engine.ID, text string) {
	if r.err == nil {
		r.err = into.UnmarshalText([]byte(text))
	}
}

func (r *reader) json(into any, text string) {
	if r.err == nil {
		r.err = json.Unmarshal([]byte(text), into)
	}
}

// time leaves nil for an empty text.
func (r *reader) time(into **time.Time, text string) {
	if r.err != nil || text == "" {
		return
	}
	t, err := time.Parse(timeLayout, text)
	*into, r.err = &t, err
}
