// SPDX-License-Identifier: MIT

// Package verbs is what an app can say: one file a verb, each a plain struct
// with the attributes and a Run that carries it out on a Call.
//
// A verb knows nothing of the document it came from, nor of SIP, HTTP or SQL;
// the dialects below (sipgateio) make verbs from documents, and builtin makes
// programs of our own from the same verbs. Read gather.go first: it is the verb
// with the most to wait for. Dial and Deliver have the engine hunt for somebody
// who picks up; what is heard alone or while something is waited for is a Prompt
// (prompt.go); Voicemail is Greet, Play and Message in a row.
package verbs
