// SPDX-License-Identifier: MIT

// Package server builds the house from its configuration: which part is given
// to which, what starts first, what stops last. It is the one place where all
// the packages meet, and it decides nothing about calls.
//
// The commands serve and demo, and the tests that need a whole server, start it
// from here. Read server.go.
package server
