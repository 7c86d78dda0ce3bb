// SPDX-License-Identifier: MIT

// Package dtmf reads and writes keys, as telephone-event packets (RFC 4733) and
// as pairs of tones in the sound (ITU-T Q.23).
//
// Receiver tells each key once, whatever happens to its packets on the way.
// Detector finds keys in sound, and none in speech. Sender plays a queue of
// keys, one packet a frame. All are plain values without pointers or clocks:
// they live inside a stream of the media plane and are moved with it. Merger
// counts each key once that is told in several ways; it belongs to a leg.
//
// It knows the payload only; RTP headers, sockets and payload types belong to
// its caller. Read receiver.go first.
package dtmf
