// SPDX-License-Identifier: MIT

// Package phone is a telephone for scripts: it calls and is called by SIP, plays
// a tone, presses keys, listens, and says what it heard, with figures.
//
// Its RTP is its own, simple and apart from the media plane, so that it can
// judge what the plane sends. Signalling and descriptions are dialog's and
// sdp's.
//
// It is for tests, the demo and test calls: a call costs a goroutine and keeps
// all it hears in memory. It never serves customers' calls.
//
// Read phone.go, then call.go; ear.go listens and verdict.go judges.
package phone
