// SPDX-License-Identifier: MIT

// Package mpsc is a queue with many producers and one consumer, in which nobody
// ever waits for anybody: it has no lock and no limit, and the producers bring
// the memory. It carries commands to the threads of the media plane, and sound
// from them to the writer of recordings.
//
// It does not wake the consumer; each user has its own way. Read mpsc.go, which
// is all there is.
package mpsc
