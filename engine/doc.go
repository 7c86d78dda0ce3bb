// SPDX-License-Identifier: MIT

// Package engine is the call: from the moment a leg arrives to the record that
// stays. It knows Calls and their Legs, runs the Programs that customers' apps
// answer with, makes child Calls, and turns every end into one Cause.
//
// It never speaks SIP, HTTP or SQL, and it never parses a document. It declares
// the small interfaces it needs of those who do (Leg, Dialer, Sound, Fetcher,
// Prompts, Journal, Dialect, Verb) and is given them by cmd. Of our own
// packages it imports only media.
//
// Each Call is one goroutine that owns all of the Call's state; everything else
// talks to it through its inbox. Read call.go first, then interpret.go; transfer.go
// says how parties take each other's place, forward.go and lend.go how one goes on as
// another Call, control.go, transferto.go and originate.go what an API does, divert.go
// how a target sends a call on, guard.go and toll.go what may be called at all.
package engine
