// SPDX-License-Identifier: MIT

package store

import (
	"context"
	"errors"
	"log/slog"
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
}

func (d *disk) Write(ctx context.Context, changes []engine.Change) error {
	if d.slow > 0 {
		sleep(ctx, nil, d.slow)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tries++
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.fails != nil {
		return d.fails
	}
	var group []int
	for _, c := range changes {
		group = append(group, c.(engine.EventAdded).Event.Seq)
	}
	d.groups = append(d.groups, group)
	return nil
}

func (d *disk) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fails = err
}

func (d *disk) kept() (seqs []int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, g := range d.groups {
		seqs = append(seqs, g...)
	}
	return seqs
}

func upTo(n int) (seqs []int) {
	for i := range n {
		seqs = append(seqs, i+1)
	}
	return seqs
}

func event(seq int) engine.Change { return engine.EventAdded{Event: engine.Event{Seq: seq}} }

// bench is a Writer in a bubble of its own time.
type bench struct {
	*Writer
	disk      *disk
	log       *strings.Builder
	committed int
}

func inBubble(t *testing.T, test func(*testing.T, *bench)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{disk: &disk{}, log: &strings.Builder{}}
		w, err := StartWriter(t.Context(), WriterConfig{
			Database: b.disk, Journal: t.TempDir(), Log: slog.New(slog.NewTextHandler(b.log, nil)), Committed: func() { b.committed++ },
		})
		if err != nil {
			t.Fatal(err)
		}
		b.Writer = w
		defer b.Close(t.Context())
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
		b.disk.fail(errors.New("not yet"))
		sizes := []int{groupSize - 1, 1, 2, groupSize + 5, 1, groupSize}
		seq := 0
		for _, size := range sizes {
			var changes []engine.Change
			for range size {
				seq++
				changes = append(changes, event(seq))
			}
			b.Append(changes...)
		}
		synctest.Wait() // it tried and rests now
		b.disk.fail(nil)
		if err := b.Durable(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, g := range b.disk.groups {
			got = append(got, len(g))
		}
		want := []int{groupSize, 2, groupSize + 5, 1, groupSize}
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

func TestTroubleIsSaidOnceAndLosesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		full := errors.New("disk is full")
		b.disk.fail(full)
		for seq := 1; seq <= 60; seq++ {
			b.Append(event(seq))
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if tries := b.disk.tries; tries < 60 || tries > 70 {
			t.Errorf("%d tries in a minute, want one a second after a quick beginning", tries)
		}
		if err := b.Health(); !errors.Is(err, full) || !strings.Contains(err.Error(), "60 wait") {
			t.Errorf("health is %v, want that the disk is full and 60 wait", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Durable(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, full) {
			t.Errorf("Durable gives %v, want the deadline and the reason", err)
		}
		if b.committed != 0 {
			t.Error("told of a commit that was none")
		}
		b.disk.fail(nil)
		if err := b.Durable(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(upTo(60), b.disk.kept()); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
		if err := b.Health(); err != nil {
			t.Errorf("health is %v after the trouble", err)
		}
		if lines := strings.Count(b.log.String(), "\n"); lines != 2 {
			t.Errorf("the log has %d lines, want one for the begin and one for the end:\n%s", lines, b.log)
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

func TestCloseSaysWhatIsLost(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		full := errors.New("disk is full")
		b.disk.fail(full)
		b.Append(event(1), event(2))
		waits := make(chan error)
		go func() { waits <- b.Durable(context.Background()) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		for range 2 {
			err := b.Close(ctx)
			if !errors.Is(err, full) || !strings.Contains(err.Error(), "2 changes") {
				t.Errorf("Close gives %v, want that 2 changes were lost to a full disk", err)
			}
		}
		if err := <-waits; !errors.Is(err, ErrClosed) {
			t.Errorf("Durable gives %v, want ErrClosed", err)
		}
	})
}

func TestCloseBreaksOffAWriteThatHangs(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.disk.slow = time.Hour
		b.Append(event(1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close gives %v, want the deadline", err)
		}
		if b.log.Len() > 0 {
			t.Errorf("logged and returned: %s", b.log)
		}
	})
}
