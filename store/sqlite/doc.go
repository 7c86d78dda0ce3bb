// SPDX-License-Identifier: MIT

// Package sqlite keeps calls and their timelines in one SQLite file: what
// callwright does when no other database is configured.
//
// The file runs in WAL mode with synchronous=NORMAL: what is committed survives
// a killed process; a power cut may take the last moments. One connection
// writes, in the hands of store.Writer, and a small pool reads. Everything an
// app or a caller sent may be in it, so only its owner may read the file.
//
// This package never decides anything about a call, and it is not for two
// processes at a time: who runs more than one machine uses PostgreSQL. Read
// store.go first, then write.go and read.go.
package sqlite
