// SPDX-License-Identifier: MIT

// Package reception is the sample customer app: it greets the caller, asks for
// a PIN and connects the call. `callwright demo` runs it, and so does
// `callwright serve` when nothing is configured.
//
// It is written as a customer would write it: a plain http.Handler that reads
// what sipgate.io posts and answers with XML. It imports nothing of callwright
// and keeps no state; how often it has asked travels in a URL.
//
// Read reception.go; prompts/make.sh makes the sounds it plays.
package reception
