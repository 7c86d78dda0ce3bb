// SPDX-License-Identifier: MIT

// Package storetest is the one suite that every database must pass: what is
// appended comes back field by field, in order, once, and after a crash.
//
// A database's own tests call Run and Benchmark with a Database; what only that
// database can get wrong (a full disk, a file of somebody else) they test
// themselves. This package never knows which database it has before it. Read
// storetest.go first.
package storetest
