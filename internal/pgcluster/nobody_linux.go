// SPDX-License-Identifier: MIT

package pgcluster

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// stepDown has a command of root's run as nobody, who gets the folder:
// PostgreSQL refuses to be run by root. The kernel ends the command when the
// thread that started it ends.
func stepDown(cmd *exec.Cmd, folder string) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Geteuid() != 0 {
		return nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return err
	}
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
	if err != nil {
		return err
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(folder, int(uid), int(gid))
}
