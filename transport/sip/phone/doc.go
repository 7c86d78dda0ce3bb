// SPDX-License-Identifier: MIT

// Package phone is a telephone for scripts: it calls and is called by SIP, plays
// a tone or a file, presses keys in every way, moves from network to network,
// listens, and says what it heard, with figures. On request it is as odd, and its
// line as bad, as those that are met outside.
//
// Its RTP is its own, simple and apart from the media plane, so that it can
// judge what the plane sends. Signalling and descriptions are dialog's and
// sdp's.
//
// It is for tests, the demo and test calls: a call costs a goroutine and keeps
// all it hears in memory. It never serves customers' calls.
//
// Read phone.go, then call.go; mouth.go speaks, ear.go listens and verdict.go
// judges. Keys to press are in keys.go, tones.go and infos.go, keys to encrypt with
// in secrets.go, its places in line.go, transfers in refer.go.
package phone
