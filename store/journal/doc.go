// SPDX-License-Identifier: MIT

// Package journal keeps changes in local files while the database is away.
//
// A folder holds segments, files that are only ever appended to, and a lock, so
// that one process uses it at a time. What was appended is synced before Append
// returns, is given back in its order, and is forgotten only when Done says so.
// A tail that a crash tore is cut; a file that is damaged is told, read around
// the damage, and kept aside. No file is removed before all of it was given.
//
// This package knows no database and never decides when to write. Read
// journal.go first, then frame.go for what the files look like.
package journal
