// SPDX-License-Identifier: MIT

// Package registrar knows where users' phones are: it carries out REGISTER (RFC
// 3261 section 10), keeps what phones said until it expires, and has it made
// durable, so that a restart forgets nobody.
//
// It never checks a password, never sends anything and rings nobody: whoever
// uses it has found out who asks, and answers.
//
// Read registrar.go first; request.go reads what a phone wants, and
// room.go finds out which place goes when there are too many.
package registrar
