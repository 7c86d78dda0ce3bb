// SPDX-License-Identifier: MIT

package admin

import (
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
)

// The shapes of the answers. A key is always there; what is not known, or not
// so yet, is null. Parties are plain: a number, a user's id, a SIP URI, or
// "anonymous". Times are UTC (RFC 3339).

// page is an answer to GET /calls.
type page struct {
	Calls []summary `json:"calls"`
	// Next is the cursor of the next page; null on the last.
	Next *string `json:"next"`
}

// summary is a call in the list.
type summary struct {
	ID         engine.ID        `json:"id"`
	App        string           `json:"app"`
	Direction  engine.Direction `json:"direction"`
	From       string           `json:"from"`
	To         string           `json:"to"`
	State      engine.State     `json:"state"`
	Cause      *engine.Cause    `json:"cause"`
	StartedAt  time.Time        `json:"started_at"`
	AnsweredAt *time.Time       `json:"answered_at"`
	EndedAt    *time.Time       `json:"ended_at"`
}

// particulars are the rest of a record.
type particulars struct {
	Account    string     `json:"account"`
	Number     *string    `json:"number"`
	Caller     *string    `json:"caller"`
	FromName   *string    `json:"from_name"`
	Diversion  *string    `json:"diversion"`
	AnsweredBy *string    `json:"answered_by"`
	Parent     *engine.ID `json:"parent"`
	Chain      engine.ID  `json:"chain"`
	Node       *string    `json:"node"`
	Trunk      *string    `json:"trunk"`
	// Media are the figures of the party's sound.
	Media *media.Figures `json:"media"`
}

// detail is an answer to GET /calls/{id}.
type detail struct {
	summary
	particulars
	Timeline []event `json:"timeline"`
}

// event is one entry of a timeline.
type event struct {
	Seq  int              `json:"seq"`
	At   time.Time        `json:"at"`
	Kind engine.EventKind `json:"kind"`
	Text string           `json:"text"`
	Data engine.Data      `json:"data"`
}

// streamed is an event in the stream of all calls.
type streamed struct {
	Call engine.ID `json:"call"`
	event
}

func summaryOf(r engine.Record) summary {
	return summary{
		ID: r.ID, App: r.App, Direction: r.Direction,
		From: r.From.String(), To: r.To.String(),
		State: r.State, Cause: present(r.Cause),
		StartedAt: r.StartedAt.UTC(), AnsweredAt: utc(r.AnsweredAt), EndedAt: utc(r.EndedAt),
	}
}

func detailOf(r engine.Record, events []engine.Event) detail {
	d := detail{
		summary: summaryOf(r),
		particulars: particulars{
			Account: r.Account, Number: present(r.Number), Caller: present(r.Caller), FromName: present(r.From.Name),
			Diversion: present(r.Diversion), Parent: present(r.Parent), Chain: r.Chain, Node: present(r.Node),
			Trunk: present(r.Trunk), Media: r.Media,
		},
		Timeline: make([]event, 0, len(events)),
	}
	if r.AnsweredBy != nil {
		d.AnsweredBy = present(r.AnsweredBy.String())
	}
	for _, e := range events {
		d.Timeline = append(d.Timeline, eventOf(e))
	}
	return d
}

func eventOf(e engine.Event) event {
	return event{Seq: e.Seq, At: e.At.UTC(), Kind: e.Kind, Text: e.Text, Data: e.Data}
}

// present gives nil, which is null, for what is not there.
func present[T comparable](v T) *T {
	var none T
	if v == none {
		return nil
	}
	return &v
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return present(t.UTC())
}
