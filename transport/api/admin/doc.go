// SPDX-License-Identifier: MIT

// Package admin is callwright's own face of the API, under /api/v1: the calls
// there were and are, each with its timeline, and the stream of events.
//
// It only reads, by the two small interfaces in admin.go. Whether a client may
// see this at all is decided before, by the server that the face is mounted in.
// Read admin.go first.
package admin
