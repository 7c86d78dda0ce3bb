// SPDX-License-Identifier: MIT

// Package plane is the media plane: it opens streams, plays prompts on them,
// bridges them, hears digits and records.
//
// A few shards carry all streams. A shard is one goroutine, locked to a thread,
// that wakes up on an absolute clock, reads what has come for each stream whose
// turn it is, and sends one packet on each. A stream has one source (silence, a
// prompt, its peer) and some sinks (its peer, a recorder), as plain numbers in
// memory without pointers. Commands come in through a queue, events go out
// through a ring; nothing on the way of a packet allocates, locks, waits or
// calls through an interface, and the clock never waits for a file, a database
// or a customer.
//
// It knows no SIP and no call. Read plane.go for what can be asked of it, then
// shard.go and stream.go for how it is done, and lock.go for whom a stream
// listens to. report.go is what peers are told and tell of the sound (RTCP),
// secrets.go encryption (SRTP), watch.go whether a peer has fallen silent.
package plane
