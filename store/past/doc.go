// SPDX-License-Identifier: MIT

// Package past makes the SQL that finds what happened on an account: the calls that
// are over and the messages that were left, by a filter, counted and in pages.
//
// It is one for both databases: they understand the same statements, but for how
// values are given, which each says in an SQL of its own. Which calls count as missed
// it says in SQL as engine.Record.Missed says it; storetest sees that both agree.
//
// It never talks to a database: sqlite and postgres run what it makes, and have what
// they read put together by Assemble. All of it is in past.go.
package past
