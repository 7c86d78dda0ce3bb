// SPDX-License-Identifier: MIT

// Package resolvetest has a DNS server for tests, on loopback, that knows what a
// test says.
//
// It is for tests only, and ends with them.
//
// Read zone.go, which is all of it.
package resolvetest
