// SPDX-License-Identifier: MIT

// Package store is what every database here has in common: the one writer
// that makes a Call's changes durable, the feed of events, and how the few
// things are written that a column does not hold by itself.
//
// The databases themselves are below. While one is away, the writer keeps what
// comes in journal, a folder of local files. What both ask in the same words, the
// history, is in past. storetest is the suite that every database must pass.
//
// This package speaks no SQL and knows no database. It keeps what the engine
// tells it and never decides anything about a call. Read writer.go first, then
// loop.go for what happens when the database goes away.
package store
