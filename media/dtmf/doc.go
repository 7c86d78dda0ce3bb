// SPDX-License-Identifier: MIT

// Package dtmf reads and writes keys as telephone-event packets (RFC 4733).
//
// Receiver tells each key once, whatever happens to its packets on the way.
// Sender plays a queue of keys, one packet a frame. Both are plain values
// without pointers or clocks: they live inside a stream of the media plane and
// are moved with it.
//
// It knows the payload only; RTP headers, sockets and payload types belong to
// its caller. It does not find keys in sound. Read receiver.go first.
package dtmf
