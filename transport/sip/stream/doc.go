// SPDX-License-Identifier: MIT

// Package stream keeps the SIP connections that are streams: TCP, TLS, WS (RFC
// 7118) and WSS, those that peers open and those that we do.
//
// A Pool serves listeners, dials, and hands over every message as it came off a
// connection, in order. A connection that is idle costs a goroutine and a few
// hundred bytes: it has a buffer only while a message is in it. Messages are
// written to by anybody, and a peer that does not read loses its connection.
// Both sides' keep-alives are looked after (RFC 5626 section 4.4.1).
//
// It never looks into a message further than to find its end, and does not know
// what a transaction or a dialog is.
//
// Read pool.go first, then conn.go, and framing.go for what a message is.
package stream
