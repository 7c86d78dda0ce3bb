// SPDX-License-Identifier: MIT

// Package store is what every database here has in common: the one writer
// that makes a Call's changes durable, the feed of events, and how the few
// things are written that a column does not hold by itself.
//
// The databases themselves are below, sqlite today. storetest is the suite
// that every one of them must pass.
//
// This package speaks no SQL and knows no database. It keeps what the engine
// tells it and never decides anything about a call. Read writer.go first.
package store
