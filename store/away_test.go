// SPDX-License-Identifier: MIT

package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// errAway is what a database of fake says that is away.
var errAway = errors.New("connection refused")

// lines gives the lines of the log.
func (b *bench) lines() []string {
	return strings.Split(strings.TrimSuffix(b.log.String(), "\n"), "\n")
}

// durable appends events and demands that they are durable within a time.
func (b *bench) durable(t *testing.T, within time.Duration, from, to int) {
	t.Helper()
	b.Append(events(from, to)...)
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	if err := b.Durable(ctx); err != nil {
		t.Fatalf("events %d to %d are not durable after %v: %v", from, to, within, err)
	}
}

// caughtUp waits until the database has everything.
func (b *bench) caughtUp(t *testing.T) {
	t.Helper()
	if err := b.Durable(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 100_000 {
		synctest.Wait()
		if b.Away() == nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the database never has everything")
}

// inJournal gives the files in the folder of the journal but for the lock.
func (b *bench) inJournal(t *testing.T) (names []string) {
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

func TestChangesAreDurableWhileTheDatabaseIsAway(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.durable(t, time.Second, 1, 5)
		began := time.Now()
		b.disk.be(errAway, 0)
		for seq := 6; seq <= 65; seq++ {
			b.durable(t, 10*time.Millisecond, seq, seq)
			time.Sleep(time.Second - groupEvery)
		}
		synctest.Wait()
		if tries := b.disk.tried(); tries < 55 || tries > 75 {
			t.Errorf("%d tries in a minute, want one a second after a quick beginning", tries)
		}
		if err := b.Health(); err != nil {
			t.Errorf("health is %v, but the journal takes everything", err)
		}
		if err := b.Away(); !errors.Is(err, errAway) || !strings.Contains(err.Error(), "since "+began.Format(time.RFC3339)+", 60 wait") {
			t.Errorf("away is %v, want since %v, 60 and the reason", err, began)
		}
		if b.committed != 1 {
			t.Errorf("told of %d commits, want 1", b.committed)
		}
		b.disk.be(nil, 0)
		b.caughtUp(t)
		b.durable(t, time.Second, 66, 70)
		if diff := cmp.Diff(upTo(70), b.disk.kept()); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
		if files := b.inJournal(t); len(files) > 0 {
			t.Errorf("the journal still has %v", files)
		}
		if l := b.lines(); len(l) != 2 || !strings.Contains(l[0], "refused") || !strings.Contains(l[0], b.folder) || !strings.Contains(l[1], "changes=60 away=1m") {
			t.Errorf("log is %q, want one line for the begin and one for the end", l)
		}
	})
}

// TestApplied waits until the database has it, which is later than durable; and what
// is not found while the journal has something may be there.
func TestApplied(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.durable(t, time.Second, 1, 5)
		if err := b.Applied(t.Context()); err != nil || len(b.disk.kept()) != 5 {
			t.Errorf("%d events are there, %v", len(b.disk.kept()), err)
		}
		if err := b.Find(func() error { return ErrNotFound }); !errors.Is(err, ErrNotFound) {
			t.Errorf("what is not there is %v", err)
		}
		b.disk.be(errAway, 0)
		b.durable(t, time.Second, 6, 10)
		if err := b.Find(func() error { return ErrNotFound }); errors.Is(err, ErrNotFound) || !errors.Is(err, errAway) {
			t.Errorf("what may wait is %v", err)
		}
		if err := b.Find(func() error { return nil }); err != nil {
			t.Errorf("what is there is %v", err)
		}
		limited, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := b.Applied(limited); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errAway) {
			t.Errorf("while it is away: %v", err)
		}
		time.AfterFunc(time.Hour, func() { b.disk.be(nil, 0) })
		if err := b.Applied(t.Context()); err != nil || len(b.disk.kept()) != 10 || len(b.inJournal(t)) != 0 {
			t.Errorf("%d events are there, %v", len(b.disk.kept()), err)
		}
		reads := 0
		if err := b.Find(func() error {
			if reads++; reads == 1 {
				return ErrNotFound
			}
			return nil
		}); err != nil {
			t.Errorf("what came between is %v", err)
		}
	})
}

// TestNothingOvertakes while the database comes and goes and calls go on.
func TestNothingOvertakes(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		seq := 0
		for round := range 40 {
			switch round % 4 {
			case 0:
				b.disk.be(nil, 0)
			case 1:
				b.disk.be(errAway, 0)
			case 2:
				b.disk.be(nil, 300*time.Millisecond) // slow to catch up
			case 3:
				b.disk.be(nil, time.Hour) // silent
			}
			for range 50 {
				seq++
				b.Append(event(seq))
				time.Sleep(67 * time.Millisecond)
			}
		}
		b.disk.be(nil, 0)
		b.caughtUp(t)
		// What is replayed may come twice, but only from where it was broken off.
		var once []int
		for _, s := range b.disk.kept() {
			if s > len(once)+1 {
				t.Fatalf("event %d came before event %d", s, len(once)+1)
			}
			if s == len(once)+1 {
				once = append(once, s)
			}
		}
		if len(once) != seq {
			t.Errorf("%d events are kept, want %d", len(once), seq)
		}
	})
}

func TestASilentDatabaseIsAway(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.disk.be(nil, time.Hour)
		b.durable(t, silence+time.Millisecond, 1, 1) // the first waits for an answer
		for seq := 2; seq <= 20; seq++ {
			b.durable(t, 10*time.Millisecond, seq, seq) // the others do not
			time.Sleep(time.Second)
		}
		if b.Away() == nil {
			t.Error("nobody is told")
		}
		if tries := b.disk.tried(); tries < 3 {
			t.Errorf("%d tries in 20 s: a hanging one is not broken off", tries)
		}
		b.disk.be(nil, 0)
		b.caughtUp(t)
		if diff := cmp.Diff(upTo(20), b.disk.kept()); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
	})
}

// TestASlowDatabaseIsNotBrokenOff: it answered after all, and the replay of what
// it has already changes nothing.
func TestASlowDatabaseIsNotBrokenOff(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.disk.be(nil, silence+time.Second)
		b.durable(t, silence+time.Millisecond, 1, 2)
		b.disk.be(nil, 0)
		b.durable(t, 10*time.Millisecond, 3, 4)
		b.caughtUp(t)
		if diff := cmp.Diff([]int{1, 2, 1, 2, 3, 4}, b.disk.kept()); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
	})
}

func TestALongOutageIsReplayedInBatches(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.disk.be(errAway, 0)
		const n = 3 * groupSize
		for seq := 1; seq <= n; seq += 16 {
			b.Append(events(seq, seq+15)...)
		}
		if err := b.Durable(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.Health(); err == nil || !strings.Contains(err.Error(), "limit of 100000") || !errors.Is(err, errAway) {
			t.Errorf("health is %v, want that the journal is over its limit", err)
		}
		b.durable(t, time.Second, n+1, n+5) // but calls that are up are kept
		b.disk.be(nil, 0)
		b.caughtUp(t)
		if err := b.Health(); err != nil {
			t.Errorf("health is %v after the trouble", err)
		}
		if diff := cmp.Diff(upTo(n+5), b.disk.kept()); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
		if most := n/groupSize + 4; len(b.disk.groups) > most {
			t.Errorf("%d transactions, want at most %d", len(b.disk.groups), most)
		}
	})
}

func TestNeitherTakesAnything(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.disk.be(errAway, 0)
		if err := os.RemoveAll(b.folder); err != nil {
			t.Fatal(err)
		}
		b.Append(events(1, 3)...)
		time.Sleep(time.Minute)
		if err := b.Health(); !errors.Is(err, errAway) || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "3 wait in memory") {
			t.Errorf("health is %v, want both reasons and that 3 wait in memory", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Durable(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errAway) {
			t.Errorf("Durable gives %v, want the deadline and the reason", err)
		}
		if l := b.lines(); len(l) != 2 {
			t.Errorf("log is %q, want a line each", l)
		}
		// The journal is back first.
		if err := os.MkdirAll(b.folder, 0o700); err != nil {
			t.Fatal(err)
		}
		b.durable(t, 2*time.Second, 4, 5)
		if err := b.Health(); err != nil {
			t.Errorf("health is %v when the journal takes changes", err)
		}
		b.disk.be(nil, 0)
		b.caughtUp(t)
		if diff := cmp.Diff(upTo(5), b.disk.kept()); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
		if l := b.lines(); len(l) != 4 {
			t.Errorf("log is %q, want two lines more", l)
		}
	})
}

func TestTheDatabaseIsBackBeforeTheJournal(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.disk.be(errAway, 0)
		if err := os.RemoveAll(b.folder); err != nil {
			t.Fatal(err)
		}
		b.Append(events(1, 3)...)
		time.Sleep(time.Minute)
		b.disk.be(nil, 0)
		b.durable(t, 2*time.Second, 4, 5)
		b.caughtUp(t)
		if err := b.Health(); err != nil {
			t.Errorf("health is %v after the trouble", err)
		}
		if diff := cmp.Diff(upTo(5), b.disk.kept()); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
	})
}

// TestARefusedChangeIsPutAside alone, whether it is live or replayed.
func TestARefusedChangeIsPutAside(t *testing.T) {
	for _, away := range []bool{false, true} {
		t.Run(map[bool]string{false: "live", true: "replayed"}[away], func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.disk.hates = map[int]bool{7: true, 11: true, 100: true}
				if away {
					b.disk.be(errAway, 0)
				}
				b.Append(event(1))
				synctest.Wait()
				for seq := 2; seq <= 100; seq += 3 {
					b.Append(events(seq, seq+2)...)
				}
				if err := b.Durable(t.Context()); err != nil {
					t.Fatal(err)
				}
				b.disk.be(nil, 0)
				b.caughtUp(t)
				want := slices.DeleteFunc(upTo(100), func(seq int) bool { return b.disk.hates[seq] })
				if diff := cmp.Diff(want, b.disk.kept()); diff != "" {
					t.Errorf("kept (-want +got):\n%s", diff)
				}
				files := b.inJournal(t)
				if len(files) != 1 || !strings.HasPrefix(files[0], "refused-") {
					t.Fatalf("files are %v, want those that were refused", files)
				}
				text, err := os.ReadFile(filepath.Join(b.folder, files[0]))
				if n := strings.Count(string(text), "\n"); n != 3 || !strings.Contains(string(text), `"seq":11`) || err != nil {
					t.Errorf("put aside is %s, %v", text, err)
				}
				if n := strings.Count(b.log.String(), "put aside"); n != 3 {
					t.Errorf("log is %q, want a line for each that was refused", b.lines())
				}
				if tries := b.disk.tried(); tries > 70 {
					t.Errorf("%d tries to find 3 of 100", tries)
				}
			})
		})
	}
}

// TestARefusedChangeThatCannotBePutAside waits like the others.
func TestARefusedChangeThatCannotBePutAside(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.disk.hates = map[int]bool{2: true}
		if err := os.RemoveAll(b.folder); err != nil {
			t.Fatal(err)
		}
		b.Append(events(1, 3)...)
		time.Sleep(time.Second)
		if err := b.Health(); err == nil {
			t.Error("nobody is told")
		}
		if err := os.MkdirAll(b.folder, 0o700); err != nil {
			t.Fatal(err)
		}
		b.caughtUp(t)
		kept := b.disk.kept()
		if diff := cmp.Diff([]int{1, 3}, kept[len(kept)-2:]); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
	})
}

func TestAStartWritesWhatWasLeft(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.disk.be(errAway, 0)
		b.durable(t, time.Second, 1, 2*groupSize)
		if err := b.Close(t.Context()); err != nil {
			t.Fatalf("what is in the journal is durable, but Close gives %v", err)
		}
		if l := b.lines(); len(l) != 2 || !strings.Contains(l[1], "changes=8192") || !strings.Contains(l[1], b.folder) {
			t.Errorf("log is %q, want how many wait and where", l)
		}
		began := time.Now()
		if _, err := StartWriter(t.Context(), b.config()); !errors.Is(err, errAway) || !strings.Contains(err.Error(), "8192 changes") {
			t.Errorf("a start without the database gives %v, want why", err)
		}
		if took := time.Since(began); took < startPatience {
			t.Errorf("the start gave up after %v", took)
		}
		time.AfterFunc(startPatience/2, func() { b.disk.be(nil, 0) })
		b.start(t)
		if diff := cmp.Diff(upTo(2*groupSize), b.disk.kept()); diff != "" {
			t.Errorf("kept when the start is done (-want +got):\n%s", diff)
		}
		if files := b.inJournal(t); len(files) > 0 {
			t.Errorf("the journal still has %v", files)
		}
		if l := b.lines(); len(l) != 3 || !strings.Contains(l[2], "changes=8192") {
			t.Errorf("log is %q, want that all was written", l)
		}
	})
}

// TestCloseLosesNothing whatever state the database is in.
func TestCloseLosesNothing(t *testing.T) {
	for name, set := range map[string]func(*bench){
		"away":             func(b *bench) { b.disk.be(errAway, 0) },
		"away for a while": func(b *bench) { b.disk.be(errAway, 0); time.Sleep(time.Minute) },
		"silent":           func(b *bench) { b.disk.be(nil, time.Hour) },
		"just back": func(b *bench) {
			b.disk.be(errAway, 0)
			time.Sleep(time.Minute)
			b.disk.be(nil, 100*time.Millisecond)
			time.Sleep(time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.Append(events(1, 100)...)
				set(b)
				b.Append(events(101, 200)...)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				for range 2 {
					if err := b.Close(ctx); err != nil {
						t.Errorf("Close gives %v", err)
					}
				}
				if err := b.Durable(t.Context()); err != nil {
					t.Errorf("Durable gives %v", err)
				}
				b.disk.be(nil, 0)
				b.start(t)
				kept := b.disk.kept()
				slices.Sort(kept)
				if diff := cmp.Diff(upTo(200), slices.Compact(kept)); diff != "" {
					t.Errorf("kept after the next start (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestCloseSaysWhatIsLost(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.disk.be(errAway, 0)
		if err := os.RemoveAll(b.folder); err != nil {
			t.Fatal(err)
		}
		b.Append(event(1), event(2))
		waits := make(chan error)
		go func() { waits <- b.Durable(context.Background()) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		for range 2 {
			err := b.Close(ctx)
			if !errors.Is(err, errAway) || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "2 changes") {
				t.Errorf("Close gives %v, want that 2 changes were lost and why", err)
			}
		}
		if err := <-waits; !errors.Is(err, ErrClosed) {
			t.Errorf("Durable gives %v, want ErrClosed", err)
		}
	})
}

func TestTwoWritersInOneFolder(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		if _, err := StartWriter(t.Context(), b.config()); err == nil || !strings.Contains(err.Error(), "in use by process") {
			t.Errorf("the second start gives %v", err)
		}
	})
}
