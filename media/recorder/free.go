// SPDX-License-Identifier: MIT

package recorder

import "syscall"

// free says how many bytes are free on the disk of a folder, for who is not root.
func free(folder string) (bytes uint64, err error) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(folder, &disk); err != nil {
		return 0, err
	}
	return disk.Bavail * uint64(disk.Bsize), nil
}
