// SPDX-License-Identifier: MIT

// Package sip makes engine legs of SIP calls: it finds out which trunk a call
// comes in by and which number it is for, or refuses it and says why, and sends
// calls out by a trunk or to a user's phone.
//
// It never decides what happens on a call; that is the engine's. The dialogs
// themselves are spoken in dialog, session descriptions in sdp; phone is a SIP
// phone for tests and demonstrations.
//
// Read incoming.go and outgoing.go first, then leg.go.
package sip
