// SPDX-License-Identifier: MIT

// Package recorder writes recordings to WAV files.
//
// The threads of the media plane hand it sound in chunks of 8 kB; one goroutine
// writes them. Handing over never waits, however slow the disk is: when a disk
// cannot keep up for a minute, that recording ends with ErrTooSlow, and the
// call goes on. One that hangs at the end of a recording is waited for 5 s; then
// the end is told with ErrStuck, and the file completed behind it. A file is a valid
// WAV file at all times, so a killed process loses no more than the last second or
// two.
//
// A recording may end when nobody is heard any more (listener.go). None begins on a
// disk that is nearly full.
//
// It knows no call and no stream. Read recorder.go first.
package recorder
