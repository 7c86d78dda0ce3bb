// SPDX-License-Identifier: MIT

package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store/lock"
)

const (
	// segmentSize is when the next segment begins; one at a time is read into
	// memory as a whole.
	segmentSize = 8 << 20
	// suffix is how the names of segments end; before it is their number.
	suffix = ".journal"
	// damaged is how the name of a segment begins that is kept aside.
	damaged = "damaged-"
)

// Journal is a folder of changes that wait for the database. It is for one
// goroutine, except for PutAside.
type Journal struct {
	folder string
	log    *slog.Logger
	lock   *lock.Lock

	segments []*segment // with changes that wait, oldest first
	file     *os.File   // the last segment while it is appended to, or nil
	last     int        // the number of the newest segment there ever was
	head     []byte     // what is in the oldest segment while it is read, or nil
	at       int        // how much of the head is done
	next     *Batch     // what Next gave and is not done, or nil
}

// segment is one file.
type segment struct {
	path    string
	begin   int // where its first frame may be
	size    int64
	changes int // those that wait
	damaged bool
}

// Open opens a folder, and makes it if it is not there. What an earlier process
// left in it waits. The error is a sentence for the operator.
func Open(folder string, log *slog.Logger) (_ *Journal, err error) {
	j := &Journal{folder: folder, log: log}
	defer func() {
		if err != nil {
			err = fmt.Errorf("open the journal %s: %w", folder, errors.Join(err, j.Close()))
		}
	}()
	if err = os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("data_dir must be a folder that can be written to: %w", err)
	}
	var used *lock.UsedError
	if j.lock, err = lock.Take(filepath.Join(folder, "lock")); errors.As(err, &used) {
		return nil, fmt.Errorf("the folder is %w; stop that one, or let data_dir name another folder", err)
	} else if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(folder) // by name
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name, isDamaged := strings.CutPrefix(e.Name(), damaged)
		number, err := strconv.Atoi(strings.TrimSuffix(name, suffix))
		if err != nil || !strings.HasSuffix(name, suffix) {
			continue
		}
		j.last = max(j.last, number)
		if isDamaged {
			continue
		}
		j.segments = append(j.segments, &segment{path: filepath.Join(folder, name)})
	}
	for i, s := range j.segments {
		if err := j.find(s, i+1 == len(j.segments)); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(s.path), err)
		}
	}
	return j, nil
}

// find looks into a segment that was left. Only the newest one may end in the
// midst of a frame: there the process ended, and nobody was told that what is
// missing would be kept.
func (j *Journal) find(s *segment, newest bool) error {
	content, err := os.ReadFile(s.path)
	if err != nil {
		return err
	}
	found, err := look(content)
	if err != nil {
		return err
	}
	s.begin, s.changes, s.size = found.begin, found.changes, int64(len(content))
	if found.torn >= 0 && newest && len(found.damage) == 0 {
		j.log.Info("the end of the journal was not written and is cut", "file", s.path, "offset", found.torn, "bytes", len(content)-found.torn)
		s.size = int64(found.torn)
		return cut(s.path, s.size)
	}
	if found.torn >= 0 {
		found.damage = append(found.damage, found.torn)
	}
	for _, offset := range found.damage {
		j.damage(s, offset, errors.New("the checksum is wrong"))
	}
	return nil
}

// damage says that a part of a segment is lost.
func (j *Journal) damage(s *segment, offset int, why error) {
	s.damaged = true
	j.log.Error("a file of the journal is damaged; all that can be read of it is written to the database, and the file is kept aside",
		"file", s.path, "offset", offset, "why", why)
}

// Append takes changes, one entry for those that belong together. With nil they
// are safe from a crash of the machine, in the order they came; with an error
// nothing was taken.
func (j *Journal) Append(entries [][]engine.Change) error {
	var frames []byte
	changes := 0
	for _, entry := range entries {
		text, err := encode(entry)
		if err != nil {
			if err := j.refuse(entry, err); err != nil {
				return fmt.Errorf("append to the journal: %w", err)
			}
			continue
		}
		frames = appendFrame(frames, frame{text, len(entry)})
		changes += len(entry)
	}
	if err := j.room(len(frames)); err != nil {
		return fmt.Errorf("append to the journal: %w", err)
	}
	s := j.segments[len(j.segments)-1]
	_, err := j.file.WriteAt(frames, s.size)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("append to the journal: %w", errors.Join(err, j.takeBack(s)))
	}
	s.size += int64(len(frames))
	s.changes += changes
	return nil
}

// refuse puts an entry aside that cannot be written at all.
func (j *Journal) refuse(entry []engine.Change, why error) error {
	for _, c := range entry {
		path, err := j.PutAside(c, why)
		if err != nil {
			return err
		}
		j.log.Error("a change cannot be written; it is put aside", "file", path, "err", why)
	}
	return nil
}

// takeBack sees to it that nothing is found behind what was taken, and that the
// next try has a file of its own: after a sync that failed, nobody knows what
// is in this one.
func (j *Journal) takeBack(s *segment) error {
	err := j.seal()
	if s.changes > 0 {
		return errors.Join(err, cut(s.path, s.size))
	}
	j.segments = j.segments[:len(j.segments)-1]
	return errors.Join(err, remove(s.path))
}

// room sees to it that there is a segment to append to.
func (j *Journal) room(bytes int) error {
	if j.file != nil && j.segments[len(j.segments)-1].size+int64(bytes) <= segmentSize {
		return nil
	}
	if err := j.seal(); err != nil {
		return err
	}
	path := filepath.Join(j.folder, fmt.Sprintf("%010d%s", j.last+1, suffix))
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.WriteString(opening); err == nil {
		err = syncFolder(j.folder)
	}
	if err != nil {
		return errors.Join(err, f.Close(), os.Remove(path))
	}
	j.file = f
	j.last++
	j.segments = append(j.segments, &segment{path: path, begin: len(opening), size: int64(len(opening))})
	return nil
}

// seal ends the segment that is appended to.
func (j *Journal) seal() error {
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	return err
}

// Waiting gives how many changes wait.
func (j *Journal) Waiting() int {
	n := 0
	for _, s := range j.segments {
		n += s.changes
	}
	return n
}

// Empty says that there is no file with changes left.
func (j *Journal) Empty() bool { return len(j.segments) == 0 }

// Size gives the length of all files, in bytes.
func (j *Journal) Size() int64 {
	var n int64
	for _, s := range j.segments {
		n += s.size
	}
	return n
}

// Folder gives the path of the folder.
func (j *Journal) Folder() string { return j.folder }

// Close leaves the folder to another. What waits stays there. It may be called
// again.
func (j *Journal) Close() error {
	err := j.seal()
	if j.lock != nil {
		err = errors.Join(err, j.lock.Release())
	}
	return err
}

// cut makes a file shorter, for good.
func cut(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Sync(), f.Close())
}

// syncFolder makes durable which files there are.
func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// remove removes a file, for good.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncFolder(filepath.Dir(path))
}
