// SPDX-License-Identifier: MIT

package engine

import (
	"maps"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/media"
)

// Direction says which way a Call came about, as its App sees it.
type Direction string

// The directions.
const (
	In  Direction = "in"  // somebody called one of our numbers
	Out Direction = "out" // a user called out, or we called a target
)

// State is how far a Call has come.
type State string

// The states, in their order.
const (
	StateRinging  State = "ringing"
	StateAnswered State = "answered"
	StateEnded    State = "ended"
)

// DialectState is what a dialect must remember of a Call between two documents
// and after a crash: subscribed URLs, cookies, a sequence. Only the dialect
// knows the keys.
type DialectState map[string]string

// Record is what stays of a Call (a call detail record).
type Record struct {
	ID      ID     `json:"id"`
	Account string `json:"account"`
	App     string `json:"app"`
	// Number is the configured Number, or pattern, that the call came to.
	Number    string    `json:"number,omitempty"`
	Direction Direction `json:"direction"`
	// Caller is the id of the User who made the call, if one did.
	Caller string            `json:"caller,omitempty"`
	From   directory.Address `json:"from"`
	To     directory.Address `json:"to"`
	// Diversion is the number that was dialled before the call was diverted to
	// us (RFC 5806), if it was.
	Diversion string `json:"diversion,omitempty"`
	// Trunk names the Trunk that the call came or left by, if it did.
	Trunk string `json:"trunk,omitempty"`
	// Parent is the Call whose Dial made this one; zero for a call of its own.
	Parent ID `json:"parent,omitzero"`
	// Chain is the first Call of a chain of transfers and forwards; a fresh
	// call is its own.
	Chain ID `json:"chain"`
	// Node is the machine that owns the call.
	Node  string `json:"node,omitempty"`
	State State  `json:"state"`
	Cause Cause  `json:"cause,omitempty"`
	// AnsweredBy is the party that picked up.
	AnsweredBy *directory.Address `json:"answered_by,omitempty"`
	StartedAt  time.Time          `json:"started_at"`
	// AnsweredAt and EndedAt are nil until it happened.
	AnsweredAt *time.Time `json:"answered_at"`
	EndedAt    *time.Time `json:"ended_at"`
	// Media are the figures of the party's sound, once the call has ended.
	Media   *media.Figures `json:"media,omitempty"`
	Dialect DialectState   `json:"-"`
	// Settled says that the call has ended and its App was told, or had no wish
	// to be. One that is not is looked at when the server starts again.
	Settled bool `json:"-"`
}

// clone gives a copy that shares nothing that is changed later.
func (r Record) clone() Record {
	r.Dialect = maps.Clone(r.Dialect)
	return r
}
