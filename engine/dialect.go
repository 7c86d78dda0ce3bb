// SPDX-License-Identifier: MIT

package engine

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/callwright/callwright/directory"
)

// Verb is one instruction that can run on a Call: a plain struct with what an
// App said. String gives it in one line for the timeline.
type Verb interface {
	fmt.Stringer
	// Run carries the verb out on the Call's goroutine and says what comes
	// next. It waits only in Await and what is built on it. An error ends the
	// program; it is either what Await returned or a failure of ours.
	Run(ctx context.Context, c *Call) (Next, error)
}

// Program is verbs that run in order.
type Program []Verb

// Next is what comes after a verb: Continue, Goto, End, Fail or Forward.
type Next struct {
	ask *Event
	end Cause
	// why says for the timeline why it ends, which is else left to the leg, or why it
	// is forwarded.
	why     string
	forward *directory.Address
}

// Continue goes on with the next verb of the program.
func Continue() Next { return Next{} }

// Goto asks the App what to do about an event; its document takes the place of
// the rest of the program.
func Goto(why Event) Next { return Next{ask: &why} }

// End ends the call.
func End(cause Cause) Next { return Next{end: cause} }

// Fail ends the call with CauseFailed; why is for the timeline.
func Fail(why string) Next { return Next{end: CauseFailed, why: why} }

// Forward ends the call and has its party go on as the next Call of the chain,
// which is led to somebody else: a user, group or number, or a voicemail, by its box
// or without a value that of who was called. why is for the timeline.
func Forward(to directory.Address, why string) Next { return Next{forward: &to, why: why} }

// Document is what an App answered.
type Document struct {
	Program Program
	// Remember is laid over the Call's DialectState: a key that is given again
	// replaces the old value.
	Remember DialectState
}

// Problem is a complaint about a document, in a sentence that a customer
// understands and that says what to change.
type Problem struct {
	// Line and Column count from 1; 0 when the place is not known.
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	Element   string `json:"element,omitempty"`
	Attribute string `json:"attribute,omitempty"`
	Sentence  string `json:"sentence"`
}

// String gives "line 3, column 5: sentence".
func (p Problem) String() string {
	if p.Line == 0 {
		return p.Sentence
	}
	return fmt.Sprintf("line %d, column %d: %s", p.Line, p.Column, p.Sentence)
}

// Missing is why there is no program to run.
type Missing string

// The ways in which a program can be missing.
const (
	MissingUnreachable Missing = "unreachable" // no reply, or not one that counts as success
	MissingBad         Missing = "bad"         // a reply that is no document
	MissingEmpty       Missing = "empty"       // a document that says nothing to do
	MissingEnd         Missing = "end"         // the program ran to its end
)

// CallInfo is a Call as its dialect sees it: a copy that may be kept.
type CallInfo struct {
	Record
	// App is the App whose key the Record has.
	App directory.App
	// Users are the Users of the number that was called, or of the Destination
	// (In), or the caller (Out).
	Users []directory.User
	// Called is the Number of ours that the call is for, if it is for one.
	Called directory.Number
	// Inward says that an API began the call, and that who is called is of the
	// account: Enter.
	Inward bool
	// Destination is where a call that was forwarded or transferred is led; nil
	// leaves it to the settings of its number.
	Destination *directory.Address
	// Dialled is what the User dialled who made the call.
	Dialled string
}

// At is the number at which the users are reached whom a call that came in is for:
// the one of ours, or of a pattern the one that was dialled; empty if it is none.
func (c CallInfo) At() string {
	switch {
	case directory.IsNumber(c.Number):
		return directory.NormalizeNumber(c.Number)
	case c.To.Kind == directory.KindNumber:
		return c.To.Value
	}
	return ""
}

// Dialect is one vendor's language: it words requests and reads documents. It
// does no I/O and keeps no state of its own.
type Dialect interface {
	// Request words the question what to do about an event. A Request without
	// a URL asks nobody.
	Request(c CallInfo, why Event) Request
	// Parse reads the reply to the request about an event. Problems that leave
	// nothing to run come with an empty program.
	Parse(c CallInfo, asked Event, r Reply) (Document, []Problem)
	// Default is what the vendor does when there is no program after the app
	// was asked about an event.
	Default(c CallInfo, asked Event, why Missing) Program
	// Notify words what is told about an event without waiting for a reply: of a
	// call that is no child EventRinging, once for each that rings, EventAnswered
	// and EventEnded, about which nothing is told Aside; and EventRecorded.
	Notify(c CallInfo, e Event) []Request
}

// Request is something an App is asked or told over HTTP.
type Request struct {
	// Name is what the vendor calls it: "newCall".
	Name   string
	Method string
	URL    string
	// Fallback is tried when URL does not give a reply that counts as success.
	Fallback string
	Header   http.Header
	Body     []byte
	// Signature is the header in which the vendor signs the body; empty where it
	// signs nothing.
	Signature string
	// Unlogged keeps the request out of what the App may read of the timeline.
	Unlogged bool
	// Aside has it told beside what else is told of the call, in an order of its
	// own: neither waits for the other.
	Aside  bool
	Policy Policy
}

// Policy is how a vendor treats a customer's server.
type Policy struct {
	// Timeout is for the whole exchange with one URL.
	Timeout time.Duration
	// Redirects is how many are followed.
	Redirects int
	// Success are the statuses from, up to and including to, that count.
	SuccessFrom, SuccessTo int
}

// Reply is what came back. Err is nil only if the status counts as success and
// the body is whole.
type Reply struct {
	// URL is where the reply came from, after fallback and redirects.
	URL    string
	Status int
	Header http.Header
	Body   []byte
	Err    error
	// Attempts are all the tries, in order.
	Attempts []Attempt
}

// Attempt is one try at one URL.
type Attempt struct {
	URL    string
	Status int // 0 when there was no reply
	Took   time.Duration
	// Body is what came back, as far as it was read.
	Body []byte
	Err  error
}
