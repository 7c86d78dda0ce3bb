// SPDX-License-Identifier: MIT

package past

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

// SQL is how a database is given what a statement needs.
type SQL struct {
	// Mark begins the name of a value: "$" or "?".
	Mark string
	// Among is a condition that a column is one of a list, which value is the %s.
	Among string
	// Time and List make values.
	Time func(time.Time) any
	List func([]string) (any, error)
}

// Party is the number of a party as engine.PastFilter has it, or its id. There are
// indexes of it.
func Party(column string) string {
	return fmt.Sprintf("ltrim(coalesce(nullif(%[1]s ->> 'number', ''), %[1]s ->> 'value'), '+')", column)
}

// margin is how far the time in an id may be from when a call or recording began.
const margin = 24 * time.Hour

// mostOffset is behind every end.
const mostOffset = 1 << 40

// Statement is one with its values; its text is empty if nothing can be found.
type Statement struct {
	Text   string
	Values []any
}

// query is a statement while it is put together.
type query struct {
	SQL
	args []any
	err  error
}

// Find gives the statement that counts what passes a filter, and the one that gives a
// page of ids, newest first, with whether each is a message's.
func (q SQL) Find(f engine.PastFilter, limit, offset int) (count, page Statement, err error) {
	return (&query{SQL: q}).find(f, limit, offset)
}

func (q *query) find(f engine.PastFilter, limit, offset int) (count, page Statement, err error) {
	account := q.value(f.Account)
	type part struct {
		rows    string
		message int
	}
	var parts []part
	if !f.NoCalls {
		parts = append(parts, part{q.over(account, f.Party) + " WHERE " + strings.Join(append([]string{
			"account = " + account, isOver,
			"NOT EXISTS (SELECT 1 FROM recordings m WHERE m.call = calls.id AND m.kind = '" + string(engine.RecordingMessage) + "')",
		}, q.calls(f)...), " AND "), 0})
	}
	if !f.NoMessages {
		parts = append(parts, part{"recordings WHERE " + strings.Join(append([]string{
			"account = " + account, "kind = '" + string(engine.RecordingMessage) + "'",
		}, q.messages(f)...), " AND "), 1})
	}
	if len(parts) == 0 {
		return count, page, q.err
	}
	// Of each no more is read, in the order of an index, than the page can be made of.
	offset = min(offset, mostOffset)
	n := len(q.args)
	most, limited, behind := q.value(limit+offset), q.value(limit), q.value(offset)
	var counts, pages []string
	for _, p := range parts {
		counts = append(counts, "(SELECT count(*) FROM "+p.rows+")")
		pages = append(pages, fmt.Sprintf("SELECT * FROM (SELECT id, %d AS message FROM %s ORDER BY id DESC LIMIT %s) AS part%[1]d", p.message, p.rows, most))
	}
	all := fmt.Sprintf("%s ORDER BY id DESC LIMIT %s OFFSET %s", strings.Join(pages, " UNION ALL "), limited, behind)
	return Statement{"SELECT " + strings.Join(counts, " + "), q.args[:n]}, Statement{all, q.args}, q.err
}

// isOver is what the indexes of calls are limited to.
const isOver = "parent IS NULL AND ended_at IS NOT NULL"

// over is where calls are read from. Those with a number on either side are looked up
// by it in any case, whatever a planner thinks of turning the pages of all of them.
func (q *query) over(account, party string) string {
	if party == "" {
		return "calls"
	}
	from, to, number := Party("from_address"), Party("to_address"), q.value(party)
	const each = "SELECT * FROM calls WHERE account = %s AND " + isOver + " AND %s = %s"
	return fmt.Sprintf("("+each+" UNION ALL "+each+" AND %s IS DISTINCT FROM %s) AS calls", account, from, number, account, to, number, from, number)
}

// calls are the conditions of calls.
func (q *query) calls(f engine.PastFilter) []string {
	conditions := q.began(f)
	if len(f.Fates) > 0 {
		conditions = append(conditions, q.fates(f.Fates))
	}
	if len(f.Users) > 0 {
		users, numbers := q.list(f.Users), q.list(f.Numbers)
		const pickedUp = "coalesce(answered_by ->> 'kind', '') = 'user'"
		conditions = append(conditions, fmt.Sprintf("(direction = 'out' AND %s OR direction = 'in' AND (%s AND %s OR NOT %s AND %s))",
			q.among("caller", users), pickedUp, q.among("answered_by ->> 'value'", users), pickedUp, q.among("number", numbers)))
	}
	return conditions
}

// fates is engine.Record.Missed, for each direction that is wanted.
func (q *query) fates(wanted []engine.Fate) string {
	goneOn := make([]string, 0, len(engine.GoneOn()))
	for _, cause := range engine.GoneOn() {
		goneOn = append(goneOn, string(cause))
	}
	missed := fmt.Sprintf("(CASE WHEN answered_by IS NULL THEN NOT (%s) ELSE answered_by ->> 'kind' = 'voicemail' END)", q.among("cause", q.list(goneOn)))
	fates := make([]string, len(wanted))
	for i, fate := range wanted {
		fates[i] = fmt.Sprintf("direction = %s AND %s%s", q.value(string(fate.Direction)), map[bool]string{false: "NOT "}[fate.Missed], missed)
	}
	return "(" + strings.Join(fates, " OR ") + ")"
}

// messages are the conditions of messages. Each is one that came in and was not
// missed.
func (q *query) messages(f engine.PastFilter) []string {
	conditions := q.began(f)
	if f.Party != "" {
		party := q.value(f.Party)
		conditions = append(conditions, fmt.Sprintf("(%s = %s OR %s = %s)", Party("from_address"), party, Party("to_address"), party))
	}
	if len(f.Users) > 0 {
		conditions = append(conditions, q.among("box", q.list(f.Users)))
	}
	return conditions
}

// began is the condition of when something began. Its id tells that to some extent,
// and there is an index of it.
func (q *query) began(f engine.PastFilter) (conditions []string) {
	if !f.From.IsZero() {
		conditions = append(conditions, "id >= "+q.value(store.FirstID(f.From.Add(-margin)).String()), "started_at >= "+q.value(q.Time(f.From)))
	}
	if !f.To.IsZero() {
		conditions = append(conditions, "id < "+q.value(store.FirstID(f.To.Add(margin)).String()), "started_at <= "+q.value(q.Time(f.To)))
	}
	return conditions
}

func (q *query) among(column, list string) string { return fmt.Sprintf(q.Among, column, list) }

// value adds a value and gives its name.
func (q *query) value(v any) string {
	q.args = append(q.args, v)
	return fmt.Sprintf("%s%d", q.Mark, len(q.args))
}

func (q *query) list(words []string) string {
	if words == nil {
		words = []string{}
	}
	v, err := q.List(words)
	if err != nil {
		q.err = err
	}
	return q.value(v)
}

// Found is what a page of ids has: a call, or a message.
type Found struct {
	ID      engine.ID
	Message bool
}

// IDs gives the ids of what was found, as text.
func IDs(found []Found) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, one := range found {
			if !yield(one.ID.String()) {
				return
			}
		}
	}
}

// Assemble puts together what was read for a page, in its order. Recordings are those
// with an id of the page, and those of its calls.
func Assemble(found []Found, calls []engine.Record, recordings []engine.Recording) []engine.Past {
	call := map[engine.ID]engine.Record{}
	for _, r := range calls {
		call[r.ID] = r
	}
	message, of := map[engine.ID]engine.Recording{}, map[engine.ID][]engine.Recording{}
	for _, r := range recordings {
		message[r.ID] = r
		of[r.Call] = append(of[r.Call], r)
	}
	past := make([]engine.Past, len(found))
	for i, one := range found {
		if one.Message {
			past[i] = engine.Past{Message: message[one.ID]}
		} else {
			past[i] = engine.Past{Call: call[one.ID], Recordings: of[one.ID]}
		}
	}
	return past
}
