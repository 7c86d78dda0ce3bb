// SPDX-License-Identifier: MIT

// Package lint reads a document as the engine does and says what it found:
// every Problem with its place, and what the program would do.
//
// The language is the dialect's own, so nothing is found here that a call would
// not find, and nothing is carried out. Read report.go, then file.go.
package lint
