// SPDX-License-Identifier: MIT

// Package testcall places a call with the test phone, prints what happens as it
// happens, and ends with a verdict on what was heard.
//
// It knows nothing of the server that it calls: it is a telephone like any
// other. Read call.go, then verdict.go.
package testcall
