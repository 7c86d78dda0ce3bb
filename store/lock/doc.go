// SPDX-License-Identifier: MIT

// Package lock keeps a second process away from files that are for one at a
// time: a SQLite database, the folder of a journal.
//
// A lock is held on a file beside what it guards (flock), and the kernel gives
// it back however the process ends. It is a matter of those who ask for it:
// other programs, a backup or a shell, are not kept away. Read lock.go.
package lock
