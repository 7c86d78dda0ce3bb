// SPDX-License-Identifier: MIT

//go:build unix

package server

import "golang.org/x/sys/unix"

// openFiles is how many files and sockets this process may have open. The Go
// runtime has raised that as far as it can.
func openFiles() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return int(min(limit.Cur, 1<<20))
}
