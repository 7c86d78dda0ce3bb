// SPDX-License-Identifier: MIT

// Package sdp settles how two sides exchange sound: the offer/answer model of
// RFC 3264 over session descriptions (RFC 4566), as telephones use it.
//
// It knows one audio stream in G.711 with telephone-event digits. Everything
// else that is offered is refused by the rules: port 0, same place, same order.
// Hold comes as a direction attribute or as the old c=0.0.0.0. Packets may be
// encrypted (SRTP) with keys that the descriptions carry (SDES, RFC 4568).
//
// It never opens a socket and never sends anything. Parsing and printing is
// pion/sdp's. Read session.go first, then secrecy.go.
package sdp
