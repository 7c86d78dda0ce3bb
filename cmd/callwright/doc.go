// SPDX-License-Identifier: MIT

// Command callwright answers phone calls and lets a web application decide, over
// HTTP, what happens on them.
//
//	callwright serve               answer calls
//	callwright migrate             bring the tables of the database up to date
//	callwright demo                a call from end to end on this machine, then exit
//	callwright call                place a call with a test phone
//	callwright send newCall URL    send an app what a call would
//	callwright lint FILE           check a document
//	callwright calls, tail         look into a running server
//
// Flags, configuration and wiring only; no decision about a call is made here.
// Read main.go, then internal/server/server.go. What a tool does is in the
// package of its name in internal.
package main
