// SPDX-License-Identifier: MIT

package speech

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/prompt"
)

// provider is a Provider whose texts take a second each, and of which it keeps
// count.
type provider struct {
	mu          sync.Mutex
	given       []engine.Speech
	now, atMost int
	fail        error
	frames      int
}

func (p *provider) Speak(ctx context.Context, what engine.Speech) (*media.Prompt, error) {
	p.mu.Lock()
	p.given = append(p.given, what)
	p.now++
	p.atMost = max(p.atMost, p.now)
	p.mu.Unlock()
	defer func() { p.mu.Lock(); p.now--; p.mu.Unlock() }()
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if what.Text == "panic" {
		panic("provider")
	}
	return prompt.FromSamples(what.Text, make([]int16, p.frames*media.FrameSize)), p.fail
}

func (p *provider) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.given)
}

func newSpeaker(t *testing.T, p *provider, change func(*Config)) *Speaker {
	t.Helper()
	c := Config{Provider: p, Language: "de-DE", Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&c)
	}
	s := New(c)
	t.Cleanup(s.Close)
	return s
}

func say(text string) engine.Speech { return engine.Speech{Text: text} }

// What differs only in what cannot be heard is one text.
func TestSpeakKeeps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &provider{}
		s := newSpeaker(t, p, nil)
		first, err := s.Speak(t.Context(), "", say("Guten Tag"))
		if err != nil {
			t.Fatal(err)
		}
		for _, again := range []engine.Speech{
			say("\n\t Guten \x01 Tag\n"), {Text: "Guten Tag", Language: " de-DE "}, {Text: "Guten Tag", Language: "DE-de"},
		} {
			if sound, err := s.Speak(t.Context(), "", again); sound != first || err != nil {
				t.Errorf("%+v was spoken again (%v)", again, err)
			}
		}
		for _, other := range []engine.Speech{
			say("guten Tag"), {Text: "Guten Tag", Language: "de-AT"}, {Text: "Guten Tag", Voice: "de-DE"}, {Text: "-DEGuten Tag", Language: "de"},
		} {
			if sound, err := s.Speak(t.Context(), "", other); sound == first || err != nil {
				t.Errorf("%+v is what another text was (%v)", other, err)
			}
		}
		if diff := cmp.Diff(engine.Speech{Text: "Guten Tag", Language: "de-DE"}, p.given[0]); diff != "" || len(p.given) != 5 {
			t.Errorf("%d texts, the first (-want +got):\n%s", len(p.given), diff)
		}
	})
}

// What is kept is bounded by bytes, and failures are not kept.
func TestSpeakKeepsLittle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &provider{frames: 10}
		s := newSpeaker(t, p, func(c *Config) { c.CacheLimit = 10_000 }) // two of 3200 and what they are kept in
		for i, tt := range []struct {
			text string
			runs int
		}{{"a", 1}, {"b", 2}, {"a", 2}, {"c", 3}, {"a", 3}, {"b", 4}} {
			if _, err := s.Speak(t.Context(), "", say(tt.text)); err != nil || p.count() != tt.runs {
				t.Errorf("%d, %s: %d runs, want %d (%v)", i, tt.text, p.count(), tt.runs, err)
			}
		}
		p.fail = errors.New("no voice")
		for range 2 {
			if _, err := s.Speak(t.Context(), "", say("d")); !errors.Is(err, p.fail) {
				t.Errorf("failed with %v", err)
			}
		}
		if p.count() != 6 {
			t.Errorf("%d runs, want 6", p.count())
		}
	})
}

// Calls share a run; who leaves does not end it for the others, and nobody's
// run ends.
func TestSpeakShares(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &provider{}
		s := newSpeaker(t, p, nil)
		first, leave := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() { _, err := s.Speak(first, "", say("a")); left <- err }()
		synctest.Wait()
		sounds := make([]*media.Prompt, 50)
		var all sync.WaitGroup
		for i := range sounds {
			all.Go(func() {
				var err error
				if sounds[i], err = s.Speak(t.Context(), "", say("a")); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		leave()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("who left got %v", err)
		}
		all.Wait()
		for _, sound := range sounds {
			if sound == nil || sound != sounds[0] {
				t.Fatal("not all got the same sound")
			}
		}
		if p.count() != 1 {
			t.Errorf("%d runs, want 1", p.count())
		}
		alone, leave := context.WithCancel(t.Context())
		go func() { _, err := s.Speak(alone, "", say("b")); left <- err }()
		synctest.Wait()
		began := time.Now()
		leave()
		<-left
		synctest.Wait()
		if p.mu.Lock(); p.now != 0 || time.Since(began) != 0 {
			t.Errorf("%d runs go on that nobody waits for", p.now)
		}
		p.mu.Unlock()
		if _, err := s.Speak(t.Context(), "", say("b")); err != nil || p.count() != 3 {
			t.Errorf("the next got %v, after %d runs", err, p.count())
		}
	})
}

func TestSpeakBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &provider{}
		s := newSpeaker(t, p, func(c *Config) { c.AtOnce, c.Timeout = 3, 1500*time.Millisecond })
		failures := make(chan error, 6)
		for i := range cap(failures) {
			go func() { _, err := s.Speak(t.Context(), "", say(strings.Repeat("x", i+1))); failures <- err }()
		}
		spoken, refused, late := 0, 0, 0
		for range cap(failures) {
			switch err := <-failures; {
			case err == nil:
				spoken++
			case strings.Contains(err.Error(), "the server speaks other texts and had no place for this one within 1.5s"):
				refused++
			case strings.Contains(err.Error(), "the text was not spoken within 1.5s: make it shorter"):
				late++
			default:
				t.Error(err)
			}
		}
		if p.atMost != 2 || spoken != 2 || late != 2 || refused != 2 {
			t.Errorf("%d at once; %d were spoken, %d were late, %d had no place", p.atMost, spoken, late, refused)
		}
	})
}

// An account with many texts leaves a place to others, and behind that accounts
// take turns.
func TestSpeakInTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSpeaker(t, &provider{}, nil)
		began := time.Now()
		var all sync.WaitGroup
		took := make(chan time.Duration, 12)
		speak := func(account, text string, order chan<- time.Duration) {
			all.Go(func() {
				if _, err := s.Speak(t.Context(), account, say(text)); err != nil {
					t.Error(err)
				}
				if order != nil {
					order <- time.Since(began)
				}
			})
			synctest.Wait()
		}
		for i := range 30 {
			speak("busy", fmt.Sprint(i), nil)
		}
		speak("a", "one", took)
		speak("b", "two", took)
		speak("b", "0", took) // it does not wait behind those who came first with it
		all.Wait()
		close(took)
		var got []time.Duration
		for d := range took {
			got = append(got, d)
		}
		if diff := cmp.Diff([]time.Duration{time.Second, 2 * time.Second, 2 * time.Second}, got); diff != "" {
			t.Errorf("others were spoken after (-want +got):\n%s", diff)
		}
		if len(s.places.taken) != 0 || s.places.free != atOnce {
			t.Errorf("%v places are taken and %d free", s.places.taken, s.places.free)
		}
	})
}

// silent is a Provider that does not answer while it is silent.
type silent struct {
	is    atomic.Bool
	asked atomic.Int32
}

func (p *silent) Speak(ctx context.Context, what engine.Speech) (*media.Prompt, error) {
	p.asked.Add(1)
	if p.is.Load() {
		<-ctx.Done()
		return nil, &OutageError{fmt.Errorf("it is silent: %w", ctx.Err())}
	}
	return prompt.FromSamples(what.Text, nil), nil
}

// After one text that a Provider kept waiting the others of the account are refused
// at once for a while; then one finds out whether that is over. The log has a line
// for the beginning and for the end.
func TestSpeakOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, log := &silent{}, &strings.Builder{}
		s := New(Config{Provider: p, Logger: slog.New(slog.NewTextHandler(log, nil))})
		t.Cleanup(s.Close)
		texts := 0
		speak := func(account string) (took time.Duration, err error) {
			texts++
			began := time.Now()
			_, err = s.Speak(t.Context(), account, say(fmt.Sprint("text ", texts)))
			return time.Since(began), err
		}
		want := func(account string, least, most time.Duration, ok bool) {
			t.Helper()
			if took, err := speak(account); (err == nil) != ok || took < least || took > most {
				t.Errorf("text %d took %s: %v", texts, took, err)
			}
		}
		want("a", 0, 0, true)
		p.is.Store(true)
		want("a", 5*time.Second, 6*time.Second, false)
		for range 20 {
			want("a", 0, 0, false)
		}
		want("b", 5*time.Second, 6*time.Second, false) // it may be the texts of a
		if n := p.asked.Load(); n != 3 {
			t.Errorf("asked %d times, want 3", n)
		}
		time.Sleep(pause)
		tried := make(chan error)
		go func() { _, err := speak("a"); tried <- err }()
		synctest.Wait()
		want("a", 0, 0, false) // while another finds out
		if err := <-tried; err == nil || p.asked.Load() != 4 {
			t.Errorf("%v, asked %d times", err, p.asked.Load())
		}
		p.is.Store(false)
		want("a", 0, 0, false)
		time.Sleep(pause)
		want("a", 0, 0, true)
		want("a", 0, 0, true)
		if _, err := s.Speak(t.Context(), "a", say(strings.Repeat("x", engine.MaxSpeech))); err != nil {
			t.Error(err)
		}
		if lines := strings.Split(strings.TrimSpace(log.String()), "\n"); len(lines) != 2 ||
			!strings.Contains(lines[0], "level=WARN msg=\"text is not spoken") || !strings.Contains(lines[1], "text is spoken again") {
			t.Errorf("the log:\n%s", log)
		}
		if limit := s.limit(say(strings.Repeat("x", engine.MaxSpeech))); limit != timeout {
			t.Errorf("the longest text has %s", limit)
		}
	})
}

func TestSpeakRefuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &provider{}
		s := newSpeaker(t, p, nil)
		if _, err := s.Speak(t.Context(), "", say(strings.Repeat("ä ", engine.MaxSpeech/2))); err != nil {
			t.Errorf("the longest text: %v", err)
		}
		for text, want := range map[string]string{
			"":                                      "there is no text to be spoken: write some",
			" \n\x00":                               "there is no text to be spoken",
			strings.Repeat("ä", engine.MaxSpeech+1): "the text has 4097 characters, and at most 4096 can be spoken at once: divide it into several",
			"panic":                                 "the server has a fault and cannot speak this text; its log says more",
		} {
			if _, err := s.Speak(t.Context(), "", say(text)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%.20q: %v, want %s", text, err, want)
			}
		}
	})
}

func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &provider{}
		s := newSpeaker(t, p, nil)
		failed := make(chan error, 1)
		go func() { _, err := s.Speak(t.Context(), "", say("a")); failed <- err }()
		synctest.Wait()
		s.Close()
		s.Close()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("under way: %v", err)
		}
		if _, err := s.Speak(t.Context(), "", say("a")); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}
