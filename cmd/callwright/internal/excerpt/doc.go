// SPDX-License-Identifier: MIT

// Package excerpt shows a place in a document: its line, and a caret beneath
// what is meant.
//
// It knows nothing of any language, and prints nothing itself. What it gives is
// safe for a terminal, whatever the document holds. Read excerpt.go.
package excerpt
