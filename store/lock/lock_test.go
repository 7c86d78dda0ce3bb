// SPDX-License-Identifier: MIT

package lock

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

func TestOneAtATime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Take(path)
	if err != nil {
		t.Fatal(err)
	}
	var used *UsedError
	if _, err := Take(path); !errors.As(err, &used) || used.Process != strconv.Itoa(os.Getpid()) {
		t.Errorf("the second gets %v, want that this process has it", err)
	}
	for range 2 {
		if err := first.Release(); err != nil {
			t.Error(err)
		}
	}
	again, err := Take(path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Release()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has permissions %v, %v, want 0600", info.Mode(), err)
	}
	if _, err := Take(filepath.Join(path, "no")); err == nil {
		t.Error("a lock was taken in a folder that is none")
	}
}

// A copy of the file, such as a process has that is just being started, does not
// keep the lock.
func TestReleaseInSpiteOfACopy(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Take(path)
	if err != nil {
		t.Fatal(err)
	}
	copied, err := syscall.Dup(int(first.file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(copied)
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	second, err := Take(path)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	if err := second.Release(); err != nil {
		t.Error(err)
	}
}

// childLock is the environment variable that makes the test binary a process
// that takes a lock and waits to be killed.
const childLock = "CALLWRIGHT_LOCK"

func TestAKilledProcessHoldsNothing(t *testing.T) {
	if path := os.Getenv(childLock); path != "" {
		if _, err := Take(path); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("taken\n")
		io.Copy(io.Discard, os.Stdin) // ends with the parent
		os.Exit(1)
	}
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAKilledProcessHoldsNothing$")
	cmd.Env = append(os.Environ(), childLock+"="+path)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "taken\n" {
		t.Fatalf("the process said %q, %v", line, err)
	}
	var used *UsedError
	if _, err := Take(path); !errors.As(err, &used) || used.Process != strconv.Itoa(cmd.Process.Pid) {
		t.Errorf("got %v, want that process %d has it", err, cmd.Process.Pid)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	l, err := Take(path)
	if err != nil {
		t.Fatalf("when it is killed: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Error(err)
	}
}
