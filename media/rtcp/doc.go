// SPDX-License-Identifier: MIT

// Package rtcp is what two sides of an RTP stream tell each other about it: what
// each has sent and how it was heard (RFC 3550 section 6).
//
// A Report is one compound packet: a sender or receiver report with at most one
// block about the other side, the sender's name, and perhaps BYE. Schedule says
// when the next one is due. What a peer sends besides is checked and passed over.
//
// It opens no socket, starts no goroutine, allocates nothing and knows no stream.
// Tests hold what it writes against pion/rtcp. Read report.go first.
package rtcp
