// SPDX-License-Identifier: MIT

package server

import (
	"os"
	"runtime"
	"runtime/debug"
)

// Tune sets how the Go runtime serves sound. It concerns the whole process, so
// only main calls it. What the environment says (GOMAXPROCS, GOGC) stays.
//
// The media clock must find a free place to run when it wakes up, also while
// the garbage collector works on all processors: twice as many places as
// processors make the longest delay ten times shorter. Little garbage and a
// heap that may grow to five times what lives make collections rare.
func Tune() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2*runtime.NumCPU() + 1)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}
