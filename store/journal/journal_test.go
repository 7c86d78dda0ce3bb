// SPDX-License-Identifier: MIT

package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/callwright/callwright/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a folder and what was logged about it.
type bench struct {
	folder string
	log    strings.Builder
}

func setup(t *testing.T) *bench { return &bench{folder: filepath.Join(t.TempDir(), "journal")} }

func (b *bench) open(t *testing.T) *Journal {
	t.Helper()
	j, err := Open(b.folder, slog.New(slog.NewTextHandler(&b.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

// entry is changes with the numbers from one to another.
func entry(from, to int) (changes []engine.Change) {
	for seq := from; seq <= to; seq++ {
		changes = append(changes, engine.EventAdded{Event: engine.Event{Seq: seq}})
	}
	return changes
}

func add(t *testing.T, j *Journal, entries ...[]engine.Change) {
	t.Helper()
	if err := j.Append(entries); err != nil {
		t.Fatal(err)
	}
}

// take gives the numbers of the next batch.
func take(t *testing.T, j *Journal, most int) (seqs [][]int, b Batch) {
	t.Helper()
	b, err := j.Next(most)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range b.Entries {
		var group []int
		for _, c := range e {
			group = append(group, c.(engine.EventAdded).Event.Seq)
		}
		seqs = append(seqs, group)
	}
	return seqs, b
}

// drain takes all there is.
func drain(t *testing.T, j *Journal) (seqs []int) {
	t.Helper()
	for {
		groups, b := take(t, j, 3)
		if len(groups) == 0 {
			return seqs
		}
		for _, g := range groups {
			seqs = append(seqs, g...)
		}
		if err := j.Done(b); err != nil {
			t.Fatal(err)
		}
	}
}

// files gives the names in the folder but for the lock.
func (b *bench) files(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(b.folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "lock" {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestBatches(t *testing.T) {
	t.Parallel()
	b := setup(t)
	j := b.open(t)
	if seqs, batch := take(t, j, 10); seqs != nil || !j.Empty() || batch.Last {
		t.Errorf("an empty journal gives %v", seqs)
	}
	add(t, j, entry(1, 2), entry(3, 3), entry(4, 9))
	add(t, j, entry(10, 10))
	if n := j.Waiting(); n != 10 {
		t.Errorf("%d wait, want 10", n)
	}
	for range 2 { // again until done
		if seqs, batch := take(t, j, 4); cmp.Diff([][]int{{1, 2}, {3}}, seqs) != "" || batch.Changes != 3 || batch.Last {
			t.Errorf("first batch is %v, %d changes, last %v", seqs, batch.Changes, batch.Last)
		}
	}
	_, batch := take(t, j, 4)
	if err := j.Done(batch); err != nil {
		t.Fatal(err)
	}
	add(t, j, entry(11, 11)) // to a file of its own
	seqs, batch := take(t, j, 4)
	if diff := cmp.Diff([][]int{{4, 5, 6, 7, 8, 9}}, seqs); diff != "" || batch.Last {
		t.Errorf("what belongs together is more than was asked for (-want +got):\n%s", diff)
	}
	if err := j.Done(batch); err != nil {
		t.Fatal(err)
	}
	if n := j.Waiting(); n != 2 {
		t.Errorf("%d wait, want 2", n)
	}
	if diff := cmp.Diff([]int{10, 11}, drain(t, j)); diff != "" {
		t.Errorf("the rest (-want +got):\n%s", diff)
	}
	if files := b.files(t); len(files) != 0 || !j.Empty() || j.Size() != 0 || j.Waiting() != 0 {
		t.Errorf("left are files %v, %d bytes, %d changes", files, j.Size(), j.Waiting())
	}
	if b.log.Len() > 0 {
		t.Errorf("log: %s", &b.log)
	}
}

func TestTheLastBatchSaysSo(t *testing.T) {
	t.Parallel()
	j := setup(t).open(t)
	add(t, j, entry(1, 2))
	_, batch := take(t, j, 10)
	if !batch.Last {
		t.Error("it is not the last")
	}
	add(t, j, entry(3, 3)) // meanwhile
	if _, again := take(t, j, 10); again.Last || again.Changes != 2 {
		t.Errorf("it is given again with %d changes, last %v", again.Changes, again.Last)
	}
	if err := j.Done(batch); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{3}, drain(t, j)); diff != "" {
		t.Errorf("what came meanwhile (-want +got):\n%s", diff)
	}
}

func TestSegmentsFollowEachOther(t *testing.T) {
	t.Parallel()
	b := setup(t)
	j := b.open(t)
	text := strings.Repeat("x", segmentSize/3)
	var want []int
	for seq := 1; seq <= 10; seq++ {
		add(t, j, []engine.Change{engine.EventAdded{Event: engine.Event{Seq: seq, Text: text}}})
		want = append(want, seq)
	}
	if files := b.files(t); len(files) != 5 {
		t.Errorf("files are %v, want 5", files)
	}
	for _, name := range append(b.files(t), "lock") {
		if info, err := os.Stat(filepath.Join(b.folder, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has permissions %v, %v, want 0600", name, info.Mode(), err)
		}
	}
	if info, err := os.Stat(b.folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has permissions %v, %v, want 0700", info.Mode(), err)
	}
	if j.Size() < 10*segmentSize/3 {
		t.Errorf("size is %d", j.Size())
	}
	j.Close()
	j = b.open(t) // as after a crash
	if n := j.Waiting(); n != 10 {
		t.Errorf("%d wait, want 10", n)
	}
	add(t, j, entry(11, 11))
	if diff := cmp.Diff(append(want, 11), drain(t, j)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// segment gives the path and the bytes of a journal with one segment, which is
// closed.
func (b *bench) segment(t *testing.T) (string, []byte) {
	t.Helper()
	j := b.open(t)
	for seq := 1; seq <= 4; seq++ {
		add(t, j, entry(seq, seq))
	}
	j.Close()
	path := filepath.Join(b.folder, b.files(t)[0])
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, content
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestATornEndIsCut wherever it is torn.
func TestATornEndIsCut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	path, whole := b.segment(t)
	lastFrame := bytes.LastIndex(whole, []byte(marker))
	for length := range len(whole) {
		write(t, path, whole[:length])
		b.log.Reset()
		j := b.open(t)
		frames := len(readAll(whole[:length], 0))
		if length >= len(opening) && strings.Contains(b.log.String(), "is cut") == (len(readAllEnd(whole, length)) == length) {
			t.Errorf("at %d the log is %q", length, &b.log)
		}
		if info, err := os.Stat(path); err != nil || length > lastFrame && info.Size() != int64(lastFrame) {
			t.Fatalf("at %d the file has %v bytes, %v, want %d", length, info.Size(), err, lastFrame)
		}
		add(t, j, entry(9, 9)) // what comes is behind
		got := drain(t, j)
		if len(got) != frames+1 || got[frames] != 9 {
			t.Errorf("at %d got %v, want %d and the new one", length, got, frames)
		}
		if files := b.files(t); len(files) != 0 {
			t.Fatalf("at %d files are left: %v", length, files)
		}
		j.Close()
	}
}

// readAllEnd gives the bytes up to the end of the last whole frame before a length.
func readAllEnd(segment []byte, length int) []byte {
	at := len(opening)
	for {
		_, _, end, ok := nextFrame(segment[:length], at)
		if !ok {
			return segment[:min(at, length)]
		}
		at = end
	}
}

// TestDamageIsToldAndKeptAside: the rest is given.
func TestDamageIsToldAndKeptAside(t *testing.T) {
	t.Parallel()
	b := setup(t)
	path, content := b.segment(t)
	second := len(readAllEnd(content, bytes.Index(content, []byte(`"seq":2`))))
	content[second+frameHead+3] ^= 1
	write(t, path, content)
	j := b.open(t)
	if log := b.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "damaged") || !strings.Contains(log, path) ||
		!strings.Contains(log, "offset="+jsonOf(second)) {
		t.Errorf("log is %q, want one line with the file and offset %d", log, second)
	}
	if diff := cmp.Diff([]int{1, 3, 4}, drain(t, j)); diff != "" {
		t.Errorf("what can be read (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{damaged + filepath.Base(path)}, b.files(t)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if kept, err := os.ReadFile(filepath.Join(b.folder, b.files(t)[0])); err != nil || !bytes.Equal(kept, content) {
		t.Errorf("the damaged file was altered, %v", err)
	}
	// Its name is not given again, nor is it read again.
	j.Close()
	j = b.open(t)
	add(t, j, entry(5, 5))
	if files := b.files(t); len(files) != 2 || strings.TrimPrefix(files[1], damaged) == files[0] {
		t.Errorf("files are %v", files)
	}
	if diff := cmp.Diff([]int{5}, drain(t, j)); diff != "" {
		t.Errorf("what came then (-want +got):\n%s", diff)
	}
}

func jsonOf(v any) string { text, _ := json.Marshal(v); return string(text) }

func TestATextThatIsNoChangeIsDamage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	path, content := b.segment(t)
	content = appendFrame(content, frame{[]byte(`[{"room_saved":{}}]`), 1})
	content = appendFrame(content, frame{[]byte(`[{"event_added":{"seq":5}}]`), 1})
	write(t, path, content)
	j := b.open(t)
	take(t, j, 10)
	if diff := cmp.Diff([]int{1, 2, 3, 4, 5}, drain(t, j)); diff != "" || strings.Count(b.log.String(), "\n") != 1 {
		t.Errorf("what can be read (-want +got):\n%s", diff)
	}
	if files := b.files(t); len(files) != 1 || !strings.HasPrefix(files[0], damaged) || !strings.Contains(b.log.String(), "not known here") || j.Waiting() != 0 {
		t.Errorf("files are %v, %d wait, log: %s", files, j.Waiting(), &b.log)
	}
}

func TestOnlyTheNewestMayBeTorn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	path, content := b.segment(t)
	j := b.open(t)
	add(t, j, entry(5, 5))
	j.Close()
	write(t, path, content[:len(content)-1])
	j = b.open(t)
	if !strings.Contains(b.log.String(), "damaged") {
		t.Errorf("log is %q, want that the file is damaged", &b.log)
	}
	if diff := cmp.Diff([]int{1, 2, 3, 5}, drain(t, j)); diff != "" {
		t.Errorf("what can be read (-want +got):\n%s", diff)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	t.Run("a folder in use", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		j := b.open(t)
		_, err := Open(b.folder, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), "in use by process "+jsonOf(os.Getpid())) || !strings.Contains(err.Error(), b.folder) {
			t.Errorf("error is %v, want that the folder is in use and by whom", err)
		}
		j.Close()
		b.open(t) // is free again
	})
	t.Run("a newer version", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		path, content := b.segment(t)
		content[len(opening)-1]++
		write(t, path, content)
		if _, err := Open(b.folder, slog.New(slog.DiscardHandler)); !errors.Is(err, errNewer) || !strings.Contains(err.Error(), filepath.Base(path)) {
			t.Errorf("error is %v, want that a newer version wrote the file", err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(after, content) {
			t.Error("the file was altered")
		}
	})
	t.Run("a file in place of the folder", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		write(t, b.folder, nil)
		if _, err := Open(b.folder, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "data_dir") {
			t.Errorf("error is %v, want the setting to change", err)
		}
	})
}

// TestAWriteThatFailsTakesNothing, and the next has a file of its own.
func TestAWriteThatFailsTakesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	j := b.open(t)
	spoil := func() { // what is written there fails
		t.Helper()
		f, err := os.Open(j.file.Name())
		if err != nil {
			t.Fatal(err)
		}
		j.file.Close()
		j.file = f
	}
	for seq := 1; seq <= 3; seq++ {
		add(t, j, entry(seq, seq))
		spoil()
		for range 3 {
			if err := j.Append([][]engine.Change{entry(99, 99)}); err == nil {
				t.Fatal("it was taken")
			}
			if err := j.room(0); err != nil {
				t.Fatal(err)
			}
			spoil()
		}
		if err := j.Append([][]engine.Change{entry(99, 99)}); err == nil {
			t.Fatal("it was taken")
		}
	}
	if files := b.files(t); len(files) != 3 || j.Waiting() != 3 {
		t.Errorf("files are %v, %d wait, want 3", files, j.Waiting())
	}
	if diff := cmp.Diff([]int{1, 2, 3}, drain(t, j)); diff != "" {
		t.Errorf("what was taken (-want +got):\n%s", diff)
	}
	if err := os.RemoveAll(b.folder); err != nil {
		t.Fatal(err)
	}
	if err := j.Append([][]engine.Change{entry(99, 99)}); err == nil {
		t.Error("it was taken without a folder")
	}
}

func TestAFileThatSomebodyRemovedIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	path, _ := b.segment(t)
	j := b.open(t)
	add(t, j, entry(5, 5))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{5}, drain(t, j)); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
	if !strings.Contains(b.log.String(), "changes=4") || j.Waiting() != 0 {
		t.Errorf("%d wait, log is %q, want that 4 changes are lost", j.Waiting(), &b.log)
	}
}

func TestPutAside(t *testing.T) {
	t.Parallel()
	b := setup(t)
	j := b.open(t)
	changes := entry(1, 2)
	for _, c := range append(changes, nil) {
		path, err := j.PutAside(c, errors.New("it breaks a rule"))
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || filepath.Dir(path) != b.folder {
			t.Errorf("file %s has permissions %v, %v", path, info.Mode(), err)
		}
	}
	content, err := os.ReadFile(filepath.Join(b.folder, b.files(t)[0]))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, want 3:\n%s", len(lines), content)
	}
	for i, line := range lines[:2] {
		var r refused
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.At.IsZero() || r.Why != "it breaks a rule" {
			t.Errorf("line %q, %v", line, err)
		}
		got, err := decode(r.Change)
		if diff := cmp.Diff(changes[i:i+1], got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	// It is no segment.
	j.Close()
	if j = b.open(t); !j.Empty() {
		t.Error("a refused change waits in the journal")
	}
	// What cannot even be written does not hold up the others.
	add(t, j, []engine.Change{nil}, entry(3, 3))
	if diff := cmp.Diff([]int{3}, drain(t, j)); diff != "" || !strings.Contains(b.log.String(), "cannot be written") {
		t.Errorf("log is %q (-want +got):\n%s", &b.log, diff)
	}
}
