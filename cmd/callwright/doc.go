// SPDX-License-Identifier: MIT

// Command callwright answers phone calls and lets a web application decide, over
// HTTP, what happens on them.
//
//	callwright demo     a call from end to end on this machine, then exit
//	callwright serve    answer calls
//	callwright version  say which version this is
//
// Flags, configuration and wiring only; no decision about a call is made here.
// Read main.go, then internal/server/server.go.
package main
