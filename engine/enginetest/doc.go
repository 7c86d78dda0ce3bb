// SPDX-License-Identifier: MIT

// Package enginetest gives tests an engine whose surroundings are scripted: legs
// that do what the test says, a sound plane without sound, an app that answers
// from a list, a journal in memory. With testing/synctest all of it runs on a
// clock that costs no time.
//
// It is for tests only and opens no socket. Read house.go first.
package enginetest
