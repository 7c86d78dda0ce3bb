// SPDX-License-Identifier: MIT

// Package intake stands between a socket and the SIP parser: it says of the bytes
// that came whether they are a message worth parsing, and what to answer if they
// are not.
//
// Check is a pure function of one message. It holds the syntax of RFC 3261 section
// 25 and the handling that RFC 4475 assigns, it writes what is allowed but unusual
// in the form that the parser reads, and it makes its answers from the bytes
// themselves, because what it refuses nobody could parse. Length finds the end of
// a message in a stream, within limits of size.
//
// It reads no socket, keeps no state between messages, and knows no transaction,
// dialog, user or trunk. What a well-formed request asks for is not its business.
//
// Read verdict.go first, then message.go, and length.go for streams.
package intake
