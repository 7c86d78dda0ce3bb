// SPDX-License-Identifier: MIT

// Package speech makes sound of text, by the program espeak-ng (Espeak) or by a
// server that speaks as OpenAI's does (Server).
//
// A Speaker stands before one of them: it bounds what is spoken and for how
// long, how much is spoken at once, keeps what was spoken in memory, and has
// calls that want one text at the same time share its sound.
//
// espeak-ng is under the GPL and therefore never linked: it runs as a process
// of its own, which is given the text by its standard input, never by its
// arguments, and dies with the call that wanted it. The package knows no verbs
// and no files of customers. Read speaker.go first.
package speech
