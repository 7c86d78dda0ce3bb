// SPDX-License-Identifier: MIT

// Package sip makes engine legs of SIP calls: it finds out which trunk or user a
// call comes from and which number it is for, or refuses it and says why, and
// sends calls out by trunks, one after the other, or to a user's phone.
//
// It never decides what happens on a call; that is the engine's. Nor does it know
// a SIP message: that is dialog's. From the wire inwards, the packages below:
//
//	stream     connections: TCP, TLS, WS and WSS
//	secure     certificates, ours and theirs
//	shield     who has had its share, before anything is read
//	intake     whether bytes are a SIP message, and what to answer if not
//	dialog     transactions and dialogs; sockets of UDP
//	resolve    where a SIP URI leads
//	digest     credentials: challenges and who guesses
//	registrar  where users' phones are
//	mwi        what phones are told of waiting messages
//	trunk      registration, health and limits of trunks
//	sdp        how sound is exchanged: offers and answers
//	info       keys in INFO requests
//	phone      a telephone for tests, demo and test calls
//
// Read incoming.go (calls that come), gate.go (who calls) and outgoing.go (calls that go) first.
package sip
