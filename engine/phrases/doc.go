// SPDX-License-Identifier: MIT

// Package phrases has the sentences that the server speaks itself, in each language
// that it knows: one row for a language, one field for a sentence. Read phrases.go.
//
// It never speaks: who wants a sentence takes it from here and has a Speaker say it.
// It never chooses a language either, and imports nothing of ours.
package phrases
