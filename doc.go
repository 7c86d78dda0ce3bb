// SPDX-License-Identifier: MIT

// Package callwright is the front door of the house and holds no code. The
// program is cmd/callwright:
//
//	cmd → {transport, store, verbs} → engine → {directory, media}
//
// engine is the call, directory who there is, verbs what an app can say, transport
// how calls and requests come and go, media sound and its packets, store what is
// kept.
//
// Its tests are the laws of the house: who may import whom (deps_test.go), and
// what every file says of itself (doc_test.go). Read doc/architecture.md first.
package callwright
