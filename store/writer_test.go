// SPDX-License-Identifier: MIT

package store

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/callwright/callwright/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// disk is a database of fake: it keeps the seqs of events, a transaction a slice.
type disk struct {
	mu     sync.Mutex
	groups [][]int
	tries  int
	fails  error
	slow   time.Duration
	hates  map[int]bool // seqs that it refuses for ever
}

func (d *disk) Write(ctx context.Context, changes []engine.Change) error {
	d.mu.Lock()
	slow := d.slow
	d.tries++
	d.mu.Unlock()
	sleep(ctx, nil, slow)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.fails != nil {
		return d.fails
	}
	var group []int
	for _, c := range changes {
		seq := c.(engine.EventAdded).Event.Seq
		if d.hates[seq] {
			return fmt.Errorf("event %d breaks a rule: %w", seq, ErrRefused)
		}
		group = append(group, seq)
	}
	d.groups = append(d.groups, group)
	return nil
}

// be makes the database fail from now on, or be slow, or well.
func (d *disk) be(fails error, slow time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fails, d.slow = fails, slow
}

func (d *disk) kept() (seqs []int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, g := range d.groups {
		seqs = append(seqs, g...)
	}
	return seqs
}

func (d *disk) tried() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.tries
}

func upTo(n int) []int { return span(1, n) }

func span(from, to int) (seqs []int) {
	for seq := from; seq <= to; seq++ {
		seqs = append(seqs, seq)
	}
	return seqs
}

func event(seq int) engine.Change { return engine.EventAdded{Event: engine.Event{Seq: seq}} }

func events(from, to int) (changes []engine.Change) {
	for _, seq := range span(from, to) {
		changes = append(changes, event(seq))
	}
	return changes
}

// bench is a Writer in a bubble of its own time.
type bench struct {
	*Writer
	disk      *disk
	folder    string
	log       *strings.Builder
	committed int
}

// start starts a Writer on the bench, as another process would.
func (b *bench) start(t *testing.T) {
	t.Helper()
	w, err := StartWriter(t.Context(), b.config())
	if err != nil {
		t.Fatal(err)
	}
	b.Writer = w
}

func (b *bench) config() WriterConfig {
	return WriterConfig{
		Database: b.disk, Journal: b.folder, JournalLimit: 100_000,
		Log: slog.New(slog.NewTextHandler(b.log, nil)), Committed: func() { b.committed++ },
	}
}

func inBubble(t *testing.T, test func(*testing.T, *bench)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{disk: &disk{}, folder: filepath.Join(t.TempDir(), "journal"), log: &strings.Builder{}}
		b.start(t)
		defer func() { b.Close(t.Context()) }()
		test(t, b)
	})
}

func TestFirstChangeIsWrittenAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		began := time.Now()
		b.Append(event(1))
		if err := b.Durable(t.Context()); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("it took %v of the clock", waited)
		}
	})
}

func TestManyCallsShareATransaction(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		for seq := 1; seq <= 1000; seq++ { // one every 100 µs
			b.Append(event(seq))
			time.Sleep(100 * time.Microsecond)
		}
		if err := b.Durable(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if diff := cmp.Diff(upTo(1000), b.disk.kept()); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		if most := int(100*time.Millisecond/groupEvery) + 2; len(b.disk.groups) > most {
			t.Errorf("%d transactions in 100 ms, want at most %d", len(b.disk.groups), most)
		}
		if b.committed != len(b.disk.groups) {
			t.Errorf("told of %d transactions, there were %d", b.committed, len(b.disk.groups))
		}
	})
}

func TestWhatBelongsTogetherIsNeverSplit(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.disk.slow = time.Second
		b.Append(event(1))
		synctest.Wait() // what comes now waits for it
		sizes := []int{groupSize - 1, 1, 2, groupSize + 5, 1, groupSize}
		seq := 1
		for _, size := range sizes {
			b.Append(events(seq+1, seq+size)...)
			seq += size
		}
		if err := b.Durable(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, g := range b.disk.groups {
			got = append(got, len(g))
		}
		want := []int{1, groupSize, 2, groupSize + 5, 1, groupSize}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("sizes of the transactions (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(upTo(seq), b.disk.kept()); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})
}

func TestTheCallersSliceMayBeUsedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		changes := []engine.Change{event(1)}
		b.Append(changes...)
		changes[0] = event(7)
		b.Append()
		if err := b.Durable(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]int{1}, b.disk.kept()); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
	})
}

func TestABacklogIsUnhealthy(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.disk.slow = time.Second
		for seq := range backlog + 1 {
			b.Append(event(seq))
		}
		if err := b.Health(); err == nil || !strings.Contains(err.Error(), "too slow") {
			t.Errorf("health is %v, want that the database is too slow", err)
		}
		if err := b.Durable(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.Health(); err != nil {
			t.Errorf("health is %v when all is written", err)
		}
	})
}

func TestCloseWritesWhatIsLeft(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.disk.slow = time.Second
		for seq := 1; seq <= 3; seq++ {
			b.Append(event(seq))
			synctest.Wait()
		}
		for range 2 {
			if err := b.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(upTo(3), b.disk.kept()); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
		if err := b.Durable(t.Context()); err != nil {
			t.Errorf("Durable gives %v though all is", err)
		}
		if b.log.Len() > 0 {
			t.Errorf("log: %s", b.log)
		}
		b.Append(event(4))
		if !strings.Contains(b.log.String(), "not kept") {
			t.Errorf("log is %q, want that what came after Close is not kept", b.log)
		}
	})
}
