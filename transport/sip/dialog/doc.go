// SPDX-License-Identifier: MIT

// Package dialog speaks SIP: INVITE dialogs by RFC 3261, incoming and outgoing,
// on the parser and the transactions of sipgo, and on connections of our own.
//
// An Endpoint owns the sockets. All messages of one Call-ID are handled one
// after the other in the order in which they arrived, so an ACK and the BYE
// right behind it never overtake each other. A Dialog tells what happens to it
// in order to its Handler, and is told what to do by Progress, Answer and
// Hangup, from any goroutine.
//
// It never looks into a body, never opens a media port, and knows no number,
// user or trunk: whoever uses it decides what a call means.
//
// Read event.go first, then endpoint.go, take.go and receive.go (what comes in),
// rule.go (what RFC 3261 forbids of it), server.go (calls that come), client.go
// (calls that go), way.go and try.go (by which way), inside.go and ask.go (what the sides ask each other inside a
// call), glare.go (one change at a time), reliable.go and fork.go (before the
// answer), timer.go (is anybody still there), refer.go and replaces.go (moves from
// call to call).
package dialog
