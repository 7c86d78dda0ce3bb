// SPDX-License-Identifier: MIT

// Package sipgateio is the language of the sipgate.io push API: it words the
// form posts newCall, answer, hangup and dtmf, and reads the XML that an app
// answers with into a Program.
//
// It does no I/O, keeps no state and never decides how a verb is carried out.
// What an app may get wrong never ends a call: each fault is a Problem that
// says what to change, what is left is run, and when nothing is left the call
// is delivered by the account settings.
//
// Read dialect.go first for what is sent, then parse.go and verbs.go for what
// is understood; xml.go is about bytes and places in them.
package sipgateio
