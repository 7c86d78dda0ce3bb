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
// Read event.go first, then endpoint.go. Besides them:
//
//	what comes in      take.go, admit.go (of strangers), receive.go, rule.go (what is forbidden)
//	calls that come    server.go, accept.go, reliable.go (before the answer)
//	calls that go      client.go, outcome.go, fork.go, auth.go (challenges)
//	inside a call      inside.go, ask.go, glare.go (one change at a time), timer.go (who is still there)
//	from call to call  refer.go, replaces.go
//	outside of calls   register.go (what peers are asked), watch.go (who is notified)
//	to and fro         way.go, try.go (where requests go), transaction.go, listen.go, socket.go
//	words in headers   header.go, party.go, option.go
package dialog
