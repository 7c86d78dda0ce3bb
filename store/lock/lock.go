// SPDX-License-Identifier: MIT

package lock

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// UsedError says that another process has the lock.
type UsedError struct {
	// Process is the id of that process, if it is known.
	Process string
}

// Error says by whom.
func (e *UsedError) Error() string {
	return strings.TrimSpace("in use by process " + e.Process)
}

// Lock is held by this process.
type Lock struct{ file *os.File }

// Take takes the lock of the file at path, which is made if it is not there, for
// its owner only. When another has it, or this process has it already, the error
// is a *UsedError.
func Take(path string) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		who, _ := os.ReadFile(path) // only a person wants to know
		f.Close()
		return nil, &UsedError{Process: strings.TrimSpace(string(who))}
	}
	if err == nil {
		if err = f.Truncate(0); err == nil {
			_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, errors.Join(err, f.Close()))
	}
	return &Lock{f}, nil
}

// Release gives the lock back. The file stays, for who removed it could take the
// lock of a file that another has just opened. It may be called again.
func (l *Lock) Release() error {
	// Closing alone is not enough while a process that is just being started
	// still has a copy of the file. What this cannot do, closing does.
	_ = syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN)
	if err := l.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("release a lock: %w", err)
	}
	return nil
}
