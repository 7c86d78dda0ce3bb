// SPDX-License-Identifier: MIT

package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/callwright/callwright/engine"
)

// Batch is some of the changes that wait: the oldest.
type Batch struct {
	// Entries hold what was appended together. None means that nothing waits.
	Entries [][]engine.Change
	// Changes is how many there are in all entries.
	Changes int
	// Last says that nothing else waits.
	Last bool

	taken int // changes that are done with, also those that could not be read
	end   int // where the next frame of the head is
}

// Next gives the oldest entries that are not done, in their order: the first,
// and further ones while there are no more than most changes. It gives them
// again until Done.
func (j *Journal) Next(most int) (Batch, error) {
	if j.next != nil {
		b := *j.next
		b.Last = b.Last && len(j.segments) == 1
		return b, nil
	}
	for len(j.segments) > 0 {
		if err := j.load(); err != nil {
			return Batch{}, err
		}
		b := j.batch(most)
		if len(b.Entries) > 0 {
			j.next = &b
			return b, nil
		}
		if err := j.Done(b); err != nil {
			return Batch{}, err
		}
	}
	return Batch{}, nil
}

// load reads the oldest segment. From now on nothing is appended to it.
func (j *Journal) load() error {
	if j.head != nil {
		return nil
	}
	if len(j.segments) == 1 {
		if err := j.seal(); err != nil {
			return err
		}
	}
	s := j.segments[0]
	content, err := os.ReadFile(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		j.log.Error("a file of the journal was removed by somebody; its changes are lost", "file", s.path, "changes", s.changes)
		content = []byte{}
	case err != nil:
		return err
	}
	// What is behind size was never taken.
	j.head, j.at = content[:min(int64(len(content)), s.size)], min(s.begin, len(content))
	return nil
}

// batch reads entries of the head.
func (j *Journal) batch(most int) Batch {
	s := j.segments[0]
	b := Batch{end: j.at}
	for {
		f, start, end, ok := nextFrame(j.head, b.end)
		if !ok {
			b.end = len(j.head)
			b.taken = s.changes
			b.Last = len(j.segments) == 1
			return b
		}
		if len(b.Entries) > 0 && b.Changes+f.changes > most {
			return b
		}
		changes, err := decode(f.text)
		if err != nil {
			j.damage(s, start, err)
		} else if len(changes) > 0 {
			b.Entries = append(b.Entries, changes)
			b.Changes += len(changes)
		}
		b.taken += f.changes
		b.end = end
	}
}

// Done forgets what Next gave. With an error it is forgotten, too, but a file
// with nothing to give is still there, and Next tries again to remove it.
func (j *Journal) Done(b Batch) error {
	s := j.segments[0]
	j.next = nil
	j.at = b.end
	s.changes -= b.taken
	if j.at < len(j.head) {
		return nil
	}
	if err := j.drop(s); err != nil {
		return err
	}
	j.head = nil
	j.segments = j.segments[1:]
	return nil
}

// drop removes a segment that has nothing left to give. It must not come back
// when the machine fails: old changes would then be applied over newer ones.
func (j *Journal) drop(s *segment) error {
	if !s.damaged {
		return remove(s.path)
	}
	if err := os.Rename(s.path, filepath.Join(j.folder, damaged+filepath.Base(s.path))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncFolder(j.folder)
}
