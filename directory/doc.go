// SPDX-License-Identifier: MIT

// Package directory is who there is: the accounts, apps, users, groups, numbers,
// trunks and tokens that are configured, and what is asked about them. Whose is a
// number, and whom does it ring? What did this user dial? Which trunks lead out?
//
// It never reads a file or a database, and does nothing in a call. What it holds is
// replaced as a whole, so that it is read without a lock. It imports nothing of ours.
//
// Each kind of entry has a file of its own: its fields, what can be wrong with them
// (of trunks in trunkcheck.go), its place in the index, how it is found. For what all
// have in common read entries.go, check.go, index.go, directory.go; for parties, address.go.
//
// Registration and TrunkStatus are no entries: they say how a user or a trunk is at the
// moment, and are here because all who speak of them may import this. The shape and the
// scopes of tokens are those of sipgate, whose clients alone have any.
package directory
