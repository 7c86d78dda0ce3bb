// SPDX-License-Identifier: MIT

package speech

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/internal/lru"
	"github.com/callwright/callwright/media"
)

const (
	// timeout is for one text, with the wait for others: a caller hears nothing
	// in the meantime. Of that the Provider has atLeast, and another second for
	// every so many characters: they sound for some seven.
	timeout        = 20 * time.Second
	atLeast        = 5 * time.Second
	charsPerSecond = 100
	// atOnce is how many texts are made into sound at once.
	atOnce = 4

	defaultCacheLimit = 64 << 20
)

// ErrClosed says that a Speaker speaks no more, as it was closed.
var ErrClosed = errors.New("the server is shutting down")

// Provider makes sound of text: an Espeak or a Server. What it cannot speak for
// reasons other than the text is an *OutageError, or the error of ctx.
type Provider interface {
	Speak(context.Context, engine.Speech) (*media.Prompt, error)
}

// Config says who speaks.
type Config struct {
	// Provider makes the sound. Required.
	Provider Provider
	// Language is taken where nobody names one ("de-DE").
	Language string
	// AtOnce is how many texts the Provider is given at once; 0 means 4.
	AtOnce int
	// Timeout is for one text; 0 means 20 s.
	Timeout time.Duration
	// CacheLimit is how much sound is kept, in bytes; 0 means 64 MiB.
	CacheLimit int
	// Logger is told of outages, and of faults of the server's own. Required.
	Logger *slog.Logger
}

// Speaker speaks text by its Provider, and keeps what was spoken. Calls that
// want one text at the same time share one run of the Provider. It is safe for
// use by many goroutines at once.
type Speaker struct {
	config Config

	mu      sync.Mutex
	closed  bool
	cache   *lru.Cache[*media.Prompt]
	runs    map[string]*run // by account and text
	trouble trouble
	running sync.WaitGroup
	places  *places
}

// run is one text that is being spoken, and those who wait for it.
type run struct {
	waiting int
	cancel  context.CancelFunc
	done    chan struct{} // closed when sound and err are there
	sound   *media.Prompt
	err     error
}

// New makes a Speaker. Close ends it.
func New(config Config) *Speaker {
	if config.AtOnce <= 0 {
		config.AtOnce = atOnce
	}
	if config.Timeout <= 0 {
		config.Timeout = timeout
	}
	if config.CacheLimit <= 0 {
		config.CacheLimit = defaultCacheLimit
	}
	return &Speaker{
		config: config, cache: lru.New[*media.Prompt](config.CacheLimit),
		runs: make(map[string]*run), places: newPlaces(config.AtOnce),
		trouble: trouble{log: config.Logger, pause: make(map[string]*silence)},
	}
}

// Speak gives the sound of a text that an account wants. It returns as soon as ctx
// ends; the text is spoken on while another call waits for it.
func (s *Speaker) Speak(ctx context.Context, account string, what engine.Speech) (*media.Prompt, error) {
	what.Text = speakable(what.Text)
	what.Language, what.Voice = strings.TrimSpace(what.Language), strings.TrimSpace(what.Voice)
	if what.Language == "" {
		what.Language = s.config.Language
	}
	if err := check(what); err != nil {
		return nil, err
	}
	key := keyOf(what)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, fmt.Errorf("speak text: %w", ErrClosed)
	}
	if sound, ok := s.cache.Get(key); ok {
		s.mu.Unlock()
		return sound, nil
	}
	of := account + "\x00" + key
	r := s.runs[of]
	if r == nil {
		if err := s.trouble.refuses(account, time.Now(), s.limit(what)); err != nil {
			s.mu.Unlock()
			return nil, err
		}
		r = s.begin(ctx, account, key, what)
	}
	r.waiting++
	s.mu.Unlock()

	select {
	case <-r.done:
		return r.sound, r.err
	case <-ctx.Done():
		s.leave(of, r)
		return nil, fmt.Errorf("wait for text to be spoken: %w", ctx.Err())
	}
}

// Close ends what is being spoken and waits until it is gone.
func (s *Speaker) Close() {
	s.mu.Lock()
	s.closed = true
	for _, r := range s.runs {
		r.cancel()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// begin starts a run that lives as long as anybody waits for it, whoever was
// first. s.mu is held.
func (s *Speaker) begin(ctx context.Context, account, key string, what engine.Speech) *run {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.Timeout)
	r := &run{cancel: cancel, done: make(chan struct{})}
	of := account + "\x00" + key
	s.runs[of] = r
	s.running.Go(func() {
		defer cancel()
		sound, took, err := s.run(ctx, account, what)
		s.mu.Lock()
		defer s.mu.Unlock()
		if r.sound, r.err = sound, err; err == nil {
			s.cache.Put(key, sound, len(sound.ULaw)+len(sound.ALaw)+len(sound.Text)+1024)
		}
		s.trouble.note(account, time.Now(), took, err)
		s.forget(of, r)
		close(r.done)
	})
	return r
}

// leave takes one off those who wait for a run; without any it ends.
func (s *Speaker) leave(of string, r *run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.waiting--; r.waiting == 0 {
		r.cancel()
		s.forget(of, r)
	}
}

// forget keeps newcomers from joining a run. s.mu is held.
func (s *Speaker) forget(of string, r *run) {
	if s.runs[of] == r {
		delete(s.runs, of)
	}
}

// run has the Provider speak when there is a place, and gives how long that took it.
// A fault of ours in it must not end the calls of others.
func (s *Speaker) run(ctx context.Context, account string, what engine.Speech) (sound *media.Prompt, took time.Duration, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			s.config.Logger.ErrorContext(ctx, "a text could not be spoken for a fault of the server", "panic", fault, "stack", string(debug.Stack()))
			err = errors.New("the server has a fault and cannot speak this text; its log says more")
		}
	}()
	came := time.Now()
	switch err := s.places.enter(ctx, account); {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, 0, fmt.Errorf("the server speaks other texts and had no place for this one within %s: try again later, or play a sound file", s.config.Timeout)
	case err != nil:
		return nil, 0, err
	}
	defer s.places.leave(account)
	limit, began := s.limit(what), time.Now()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	sound, err = s.config.Provider.Speak(ctx, what)
	took = time.Since(began)
	var outage *OutageError
	if errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &outage) {
		err = fmt.Errorf("the text was not spoken within %s: make it shorter, or play a sound file", time.Since(came).Round(100*time.Millisecond))
	}
	return sound, took, err
}

// limit gives how long the Provider may take for a text.
func (s *Speaker) limit(what engine.Speech) time.Duration {
	return min(atLeast+time.Duration(utf8.RuneCountInString(what.Text))*time.Second/charsPerSecond, s.config.Timeout)
}

// speakable gives a text without what cannot be heard: control characters, by
// which espeak-ng can be commanded, and runs of blanks.
func speakable(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// check finds what nobody can speak.
func check(what engine.Speech) error {
	switch n := utf8.RuneCountInString(what.Text); {
	case n == 0:
		return errors.New("there is no text to be spoken: write some")
	case n > engine.MaxSpeech:
		return fmt.Errorf("the text has %d characters, and at most %d can be spoken at once: divide it into several", n, engine.MaxSpeech)
	}
	return nil
}

// keyOf names what was spoken by its content, in a few bytes. Who spoke it is
// not in it: a Speaker has one Provider.
func keyOf(what engine.Speech) string {
	sum := sha256.Sum256([]byte(strings.ToLower(what.Language) + "\x00" + what.Voice + "\x00" + what.Text))
	return string(sum[:])
}

// nameOf is what the sound of a text is called.
func nameOf(what engine.Speech) string { return "speech:" + what.Language }

var _ engine.Speaker = (*Speaker)(nil)
