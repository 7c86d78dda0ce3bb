// SPDX-License-Identifier: MIT

// Package clock is the clock of the media plane: time since it was made, and
// sleep until an absolute time on it, as exact as the system allows.
//
// It never ticks by itself and starts nothing. Read clock.go first;
// clock_linux.go says why a time.Ticker would not do.
package clock
