// SPDX-License-Identifier: MIT

package sqlite

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestOpenRefusesWithoutPermission holds for root, too, who may write anywhere:
// on a thread that has given that up.
func TestOpenRefusesWithoutPermission(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o500); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "calls.db")
	refused := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if os.Geteuid() == 0 {
			const nobody = 65534
			if err := unix.Setfsuid(nobody); err != nil {
				refused <- err
				return
			}
		}
		_, err := Open(t.Context(), path, path+"-journal", quiet())
		refused <- err
	}()
	err := <-refused
	if err == nil || !strings.Contains(err.Error(), "no permission to write there") || !strings.Contains(err.Error(), path) {
		t.Errorf("error is %v, want one of permission with the path in it", err)
	}
}
