// SPDX-License-Identifier: MIT

// Package complete says what may come next on a command line, for the
// completion of shells, and gives the scripts that have bash, zsh and fish ask.
//
// It knows no command: it reads the model that the command line is parsed with,
// so nothing is written twice. Where it has nothing to offer, shells offer
// files. Read complete.go, then scripts.go.
package complete
