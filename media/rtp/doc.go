// SPDX-License-Identifier: MIT

// Package rtp is RTP on the wire: the header, what a receiver counts, the UDP
// ports that streams use and the sockets on them (RFC 3550, RFC 3551).
//
// It works on bytes that the caller owns and allocates nothing for a packet.
// A Socket is a plain number, so that thousands of streams can lie side by
// side in memory that the garbage collector need not look at.
//
// It never starts a goroutine, never waits for a packet and knows no call.
// Read packet.go first, then socket.go.
package rtp
