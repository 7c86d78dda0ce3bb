// SPDX-License-Identifier: MIT

// Package jitter is the buffer that turns packets, as they come from the
// network, into one frame of sound every 20 ms.
//
// Sound is kept by its place in time, not by packet: a ring of 16 frames that
// the RTP timestamp points into. So packets of any length are cut and joined by
// being written down, reordering needs no sorting, and a silence that the
// sender left out is simply empty. How long sound waits adapts to the network,
// between 20 and 120 ms.
//
// A Buffer holds no pointers, starts nothing, reads no clock and decodes
// nothing: it works on G.711 bytes of either law. Read buffer.go first.
package jitter
