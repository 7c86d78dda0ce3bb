// SPDX-License-Identifier: MIT

package recorder

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
)

// On a disk that is nearly full no recording begins, and no file is left; one that
// cannot say how full it is is written to.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, tt := range map[string]struct {
		free func(string) (uint64, error)
		want error
	}{
		"nearly full": {func(string) (uint64, error) { return leastFree - 1, nil }, ErrFull},
		"enough":      {func(string) (uint64, error) { return leastFree, nil }, nil},
		"unknown":     {func(string) (uint64, error) { return 0, errors.ErrUnsupported }, nil},
	} {
		r := New()
		r.free, r.Patience = tt.free, time.Minute // before anything is recorded
		path := filepath.Join(folder, name, "a.wav")
		ended := make(chan Result, 1)
		r.Start(media.RecordOptions{Path: path}, func(_ *Recording, result Result) { ended <- result }).Stop()
		if got := <-ended; !errors.Is(got.Err, tt.want) || tt.want != nil && !strings.Contains(got.Err.Error(), "99 MiB") {
			t.Errorf("%s: %v, want %v", name, got.Err, tt.want)
		}
		if _, err := os.Stat(path); (err == nil) != (tt.want == nil) {
			t.Errorf("%s: the file is there: %t", name, err == nil)
		}
		r.Close()
	}
}

// The disk of a folder says how much is free, one that is not there does not.
func TestFree(t *testing.T) {
	t.Parallel()
	if bytes, err := free(t.TempDir()); err != nil || bytes == 0 {
		t.Errorf("%d bytes are free, %v", bytes, err)
	}
	if _, err := free("/no/such/folder"); err == nil {
		t.Error("a folder that is not there has room")
	}
}
