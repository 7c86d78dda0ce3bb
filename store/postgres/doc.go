// SPDX-License-Identifier: MIT

// Package postgres keeps calls and their timelines in a PostgreSQL database, for
// anyone who runs more than one machine.
//
// Many nodes may use one database. Those who write take turns, in short
// transactions of many calls each, so that events appear in the order of their
// ids everywhere. What is written and read travels as JSON: a batch of any size
// is one parameter, and is cleaned of what PostgreSQL cannot hold in one place.
//
// This package never decides anything about a call, and knows no other database.
// It needs a connection of its own to the server or a pooler in session mode.
// Read store.go first, then write.go and read.go.
package postgres
