// SPDX-License-Identifier: MIT

// Package timeline prints what happens on calls, line by line, in the one form
// that all commands share: when, who, what; beneath it the documents that are
// sent and answered, and of a Problem the place in its document.
//
// It keeps and decides nothing. What it prints is safe for a terminal. Read
// timeline.go.
package timeline
