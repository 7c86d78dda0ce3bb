// SPDX-License-Identifier: MIT

// Package securetest makes certificates for tests: an Authority signs what is
// asked for and writes it to PEM files in the test's own folder.
//
// It is for tests only, and nothing of it outlives them.
//
// Read authority.go, which is all of it.
package securetest
