// SPDX-License-Identifier: MIT

// Package dialects is the table of the languages that apps may speak, for the
// server and for the tools of the desk.
//
// It decides nothing and knows no language itself; those are in verbs. Read
// dialects.go.
package dialects
