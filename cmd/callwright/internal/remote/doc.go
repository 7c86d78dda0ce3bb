// SPDX-License-Identifier: MIT

// Package remote speaks with a running server over its API: it lists calls,
// gives a call with its timeline, and follows what happens.
//
// It changes nothing there. Its errors are sentences that say what to do. Read
// client.go, then stream.go.
package remote
