// SPDX-License-Identifier: MIT

package peer

import (
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// Need ends the test if a program is not installed: as skipped in a plain
// `go test`, as failed in `make test`, which sets CALLWRIGHT_PEERS=1 and
// promises to run everything. debian is the package that the program comes in.
func Need(t testing.TB, program, debian string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("CALLWRIGHT_PEERS") == "1" {
		t.Fatalf("%s is not installed: apt-get install %s", program, debian)
	}
	t.Skipf("%s is not installed: apt-get install %s", program, debian)
}

// NeedIPv6 skips the test on a machine that has no IPv6, not even to itself, as many
// containers have not.
func NeedIPv6(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no IPv6: %v", err)
	}
	l.Close()
}

// Command makes a command that is asked to end when the test does, and killed
// five seconds later. On Linux it also ends with the thread that started it, and so
// with the test's process, however that ends. Tests that run a media plane cannot use
// it: threads of theirs end before.
func Command(t testing.TB, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	endWithParent(cmd)
	return cmd
}
