// SPDX-License-Identifier: MIT

// Package admin is callwright's own face of the API, under /api/v1: the calls
// there were and are, each with its timeline, the stream of events, what can be
// done to a call that lives, recordings and messages, the phones that are registered,
// and the objects of the configuration. openapi.yaml describes it, and a test holds
// it to that.
//
// It keeps nothing: what it shows and changes is behind the small interfaces in
// admin.go, objects.go, actions.go, recordings.go and trunks.go. Whether a client may
// see this at all is decided before, by the server that the face is mounted in. Read
// admin.go first.
package admin
