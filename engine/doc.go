// SPDX-License-Identifier: MIT

// Package engine is the call: from the moment a leg arrives to the record that
// stays. It runs the Programs that customers' apps answer with, makes child Calls,
// and turns every end into one Cause.
//
// It never speaks SIP, HTTP or SQL, and it never parses a document: it declares small
// interfaces for those who do (ports.go, leg.go, journal.go, dialect.go) and is given
// them by cmd. Who there is to be called it looks up in directory; of our own
// packages it imports only that, media and its own phrases.
//
// Each Call is one goroutine that owns all of the Call's state; everything else
// talks to it through its inbox (message.go). Read call.go first. Besides it:
//
//	from first to last   engine.go, arrival in leg.go, ending.go, recover.go, salvage.go
//	what an app says     ask.go, haste.go, interpret.go, replace.go, outbox.go
//	who is rung          hunt.go, child.go, divert.go (3xx), callerid.go
//	what is too much     guard.go, pace.go, toll.go, rung.go, busy.go
//	what is heard, kept  party.go, speak.go, notice.go, tape.go (as it runs), recordings.go, boxes.go, greeting.go
//	from call to call    forward.go, mailbox.go, lend.go
//	in another's place   transfer.go, handover.go, place.go, refer.go
//	what an API does     command.go, control.go, ahead.go, talk.go, announce.go, transferto.go, attended.go, originate.go
//	what stays           id.go, event.go, timeline.go, record.go, recording.go, past.go, cause.go, refused.go
package engine
