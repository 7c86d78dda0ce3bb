// SPDX-License-Identifier: MIT

// Package trunk keeps the trunks of a directory ready for calls: it registers
// with those that want it, asks by OPTIONS whether they are there, and counts
// their calls against their limits. A change of settings holds at once.
//
// It never sends or takes a call, and speaks no SIP itself: a Peer does. Which
// trunk a call tries after which is transport/sip's business; Order says which
// of them are better left for last.
//
// Read trunks.go first, then registration.go.
package trunk
