// SPDX-License-Identifier: MIT

package secure

import (
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookEvery is how often files are looked at, at most: a flood of connections
// is not to become one of file accesses.
const lookEvery = time.Second

// watched is what was made of files. It is made again when they change.
type watched struct {
	files []string
	make  func() (*material, error)
	log   *slog.Logger

	mu     sync.Mutex
	looked time.Time
	seen   []stamp
	good   *material
}

// stamp tells one state of a file from another.
type stamp struct {
	size     int64
	modified time.Time
}

// watch makes something of files for the first time. Names that are empty are
// left out.
func watch(log *slog.Logger, files []string, do func() (*material, error)) (*watched, error) {
	w := &watched{make: do, log: log}
	for _, f := range files {
		if f != "" {
			w.files = append(w.files, f)
		}
	}
	w.seen, w.looked = w.stamps(), time.Now()
	var err error
	w.good, err = do()
	return w, err
}

func (w *watched) stamps() []stamp {
	all := make([]stamp, len(w.files))
	for i, f := range w.files {
		if info, err := os.Stat(f); err == nil {
			all[i] = stamp{info.Size(), info.ModTime()}
		}
	}
	return all
}

// now gives what the files make, or made when they were last good.
func (w *watched) now() *material {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.looked) < lookEvery {
		return w.good
	}
	w.looked = time.Now()
	seen := w.stamps()
	if same(seen, w.seen) {
		return w.good
	}
	w.seen = seen
	made, err := w.make()
	if err != nil {
		w.log.Error("the certificate files changed and cannot be used; the old ones stay in use", "files", w.files, "err", err)
		return w.good
	}
	w.log.Info("certificates read again", "files", w.files)
	w.good = made
	return made
}

func same(a, b []stamp) bool {
	for i := range a {
		if a[i].size != b[i].size || !a[i].modified.Equal(b[i].modified) {
			return false
		}
	}
	return true
}
