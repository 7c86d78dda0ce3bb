// SPDX-License-Identifier: MIT

// Package lru keeps values in memory up to a number of bytes; those not used
// for longest go first.
//
// It knows nothing of what it keeps: who puts a value in says how large it is,
// and who shares a Cache among goroutines has the lock.
package lru
