// SPDX-License-Identifier: MIT

package peer

import (
	"os/exec"
	"syscall"
)

// endWithParent has the kernel end the command when the thread that starts it ends.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
