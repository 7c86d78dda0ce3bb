// SPDX-License-Identifier: MIT

package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/prompt"
	"github.com/callwright/callwright/media/tone"
)

const (
	// soundTimeout is for fetching one sound file, redirects and all: a caller
	// waits in silence for it. staleTimeout is for asking whether one that could
	// be played still is the same.
	soundTimeout   = 10 * time.Second
	staleTimeout   = 2 * time.Second
	soundRedirects = 3
	// pause is how long a server that fails is left alone, when there is
	// something to play in the meantime.
	pause = 10 * time.Second
	// decoders is how many files are decoded at once, and longDecoders how many of
	// those may be long: they take up to some 100 MiB each while they are, the
	// others 3 MiB.
	decoders     = 32
	longDecoders = 2

	defaultCacheLimit = 64 << 20
)

// toneScheme is how the URL of a tone begins, like tone:busy.
const toneScheme = "tone:"

// ErrClosed says that Prompts gives no more sound, as it was closed.
var ErrClosed = errors.New("the server is shutting down")

// PromptsConfig says how sound files are fetched and kept.
type PromptsConfig struct {
	// Client fetches the files, through its egress guard. Required.
	Client *Client
	// Tones gives what URLs like tone:busy name; nil means those of Europe.
	Tones *prompt.Tones
	// FileLimit is how long a file may be, in bytes; 0 means prompt.MaxSize, and
	// beyond that it has no effect.
	FileLimit int64
	// CacheLimit is how much decoded sound is kept, in bytes; 0 means 64 MiB.
	CacheLimit int
}

// Prompts gives the sound files that Apps name by URL, and tones: tone:busy is
// one. Calls that want one URL at the same time share one fetch. A file is used
// again while it is fresh; after that its server is asked whether it changed
// (see keepingOf). It is safe for use by many goroutines at once.
type Prompts struct {
	config PromptsConfig

	mu      sync.Mutex
	closed  bool
	cache   *cache
	flights map[string]*flight
	running sync.WaitGroup
	// decoding has a place for each file that is being decoded, and long for each
	// of them that is long.
	decoding, long chan struct{}
}

// flight is one fetch that is under way and those who wait for it.
type flight struct {
	waiting int
	cancel  context.CancelFunc
	done    chan struct{} // closed when sound and err are there
	sound   *media.Prompt
	err     error
}

// NewPrompts makes Prompts. Close ends it.
func NewPrompts(config PromptsConfig) *Prompts {
	if config.FileLimit <= 0 {
		config.FileLimit = prompt.MaxSize
	}
	if config.Tones == nil {
		config.Tones = prompt.NewTones(tone.DefaultCountry)
	}
	if config.CacheLimit <= 0 {
		config.CacheLimit = defaultCacheLimit
	}
	return &Prompts{
		config:   config,
		cache:    newCache(config.CacheLimit),
		flights:  make(map[string]*flight),
		decoding: make(chan struct{}, decoders),
		long:     make(chan struct{}, longDecoders),
	}
}

// Prompt gives the sound file at a URL, or the tone that it names, ready to be
// played. It returns as soon as ctx ends; the fetch goes on while another call
// waits for it.
func (p *Prompts) Prompt(ctx context.Context, url string) (*media.Prompt, error) {
	if name, ok := strings.CutPrefix(url, toneScheme); ok {
		return p.config.Tones.Prompt(name)
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, fmt.Errorf("fetch sound file: %w", ErrClosed)
	}
	if e := p.cache.get(url); e != nil && time.Now().Before(e.fresh) {
		p.mu.Unlock()
		return e.prompt, nil
	}
	f := p.flights[url]
	if f == nil {
		f = p.depart(ctx, url)
	}
	f.waiting++
	p.mu.Unlock()

	select {
	case <-f.done:
		return f.sound, f.err
	case <-ctx.Done():
		p.leave(url, f)
		return nil, fmt.Errorf("wait for sound file: %w", ctx.Err())
	}
}

// Close ends all fetches and waits until they are gone.
func (p *Prompts) Close() {
	p.mu.Lock()
	p.closed = true
	for _, f := range p.flights {
		f.cancel()
	}
	p.mu.Unlock()
	p.running.Wait()
}

// depart starts a fetch that lives as long as anybody waits for it, whoever
// was first. p.mu is held.
func (p *Prompts) depart(ctx context.Context, url string) *flight {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight{cancel: cancel, done: make(chan struct{})}
	p.flights[url] = f
	old := p.cache.get(url)
	p.running.Go(func() {
		defer cancel()
		e, keep, err := p.guarded(ctx, url, old)
		p.mu.Lock()
		defer p.mu.Unlock()
		switch {
		case err != nil:
			f.err = err
		case keep:
			p.cache.put(e)
			f.sound = e.prompt
		default:
			p.cache.forget(url)
			f.sound = e.prompt
		}
		p.forget(url, f)
		close(f.done)
	})
	return f
}

// guarded fetches. A fault of ours in what decodes a stranger's file must not end
// the calls of others.
func (p *Prompts) guarded(ctx context.Context, url string, old *entry) (e *entry, keep bool, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			p.config.Client.config.Logger.ErrorContext(ctx, "a sound file could not be read for a fault of the server",
				"panic", fault, "stack", string(debug.Stack()))
			err = errors.New("the server has a fault and cannot read this file; its log says more")
		}
	}()
	return p.fetch(ctx, url, old)
}

// leave takes one off those who wait for a fetch; without any it ends.
func (p *Prompts) leave(url string, f *flight) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f.waiting--
	if f.waiting == 0 {
		f.cancel()
		p.forget(url, f)
	}
}

// forget keeps newcomers from joining a flight. p.mu is held.
func (p *Prompts) forget(url string, f *flight) {
	if p.flights[url] == f {
		delete(p.flights, url)
	}
}

// fetch gets and decodes one file, or finds that the old one, which may be nil,
// can still be played. keep says whether the entry may be kept.
func (p *Prompts) fetch(ctx context.Context, url string, old *entry) (e *entry, keep bool, err error) {
	usable := old != nil && time.Now().Before(old.usable)
	sound, reply := p.ask(ctx, url, old, usable)
	if usable && reply.Status == http.StatusOK && errors.Is(reply.Err, context.DeadlineExceeded) {
		sound, reply = p.ask(ctx, url, old, false) // it did change, and takes longer than that to come
	}
	now := time.Now()
	switch {
	case reply.Err == nil && reply.Status == http.StatusNotModified:
		e, keep = newEntry(url, old.prompt, renewed(old.header, reply.Header), wasSentOn(reply.Attempts), now)
		return e, keep, nil
	case reply.Err == nil:
		e, keep = newEntry(url, sound, reply.Header, wasSentOn(reply.Attempts), now)
		return e, keep, nil
	case usable && isOutage(reply) && ctx.Err() == nil:
		p.config.Client.config.Logger.WarnContext(ctx, "a sound file could not be asked for again: what it was before is played",
			"url", reply.URL, "until", old.usable, "err", reply.Err)
		again := *old
		again.fresh = now.Add(pause)
		return &again, true, nil
	case errors.Is(reply.Err, errTooLarge):
		return nil, false, fmt.Errorf("%w: make the file smaller, as MP3 or with `sox in.wav -r 8000 -c 1 -e mu-law out.wav`", reply.Err)
	}
	return nil, false, reply.Err
}

// ask asks for a file, if there is an old one only for a change of it, and
// decodes it while it comes, both within the timeout: a small file can take long
// to decode. What is wrong with the file is the reply's error, too.
func (p *Prompts) ask(ctx context.Context, url string, old *entry, usable bool) (sound *media.Prompt, reply engine.Reply) {
	l := limits{
		timeout:   soundTimeout,
		redirects: soundRedirects,
		from:      http.StatusOK,
		to:        http.StatusOK,
		size:      p.config.FileLimit,
	}
	header := http.Header{"Accept": {"audio/wav, audio/x-wav, audio/mpeg, */*;q=0.1"}}
	if old != nil {
		l.unchanged, l.have, l.haveFrom = true, old.header, old.prompt.Name
	}
	if usable {
		l.timeout = staleTimeout
	}
	var fault error // of the file
	l.read = func(ctx context.Context, from string, body io.Reader) error {
		r := &remembering{ctx: ctx, r: body}
		sound, fault = p.decode(ctx, from, r)
		return r.err
	}
	reply = p.config.Client.exchange(ctx, engine.Request{Name: "sound", Method: http.MethodGet, Header: header}, url, l)
	if reply.Err == nil && fault != nil {
		reply.Err = &faultError{fault}
	}
	return sound, reply
}

// decode reads a file once there is a place for it.
func (p *Prompts) decode(ctx context.Context, from string, r *remembering) (*media.Prompt, error) {
	if r.err = enter(ctx, p.decoding); r.err != nil {
		return nil, r.err
	}
	defer func() { <-p.decoding }()
	long := false
	defer func() {
		if long {
			<-p.long
		}
	}()
	return prompt.Decoder{Long: func() error {
		r.err = enter(ctx, p.long)
		long = r.err == nil
		return r.err
	}}.Decode(from, r)
}

// enter waits for a place.
func enter(ctx context.Context, places chan<- struct{}) error {
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// faultError says that a file came and cannot be played.
type faultError struct{ err error }

func (e *faultError) Error() string { return e.err.Error() }
func (e *faultError) Unwrap() error { return e.err }

// isOutage says whether an exchange failed because the server or the way to it
// is down, and not by what it said.
func isOutage(r engine.Reply) bool {
	var egress *EgressError
	var fault *faultError
	if errors.As(r.Err, &egress) || errors.As(r.Err, &fault) || errors.Is(r.Err, errTooLarge) {
		return false
	}
	return r.Status == 0 || r.Status == http.StatusOK || r.Status >= http.StatusInternalServerError
}

// remembering keeps the error of a reader apart from what is wrong with what
// was read. It ends with its context, also where the rest is already here.
type remembering struct {
	ctx context.Context
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (r *remembering) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		r.err = err
		return 0, err
	}
	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

var _ engine.Prompts = (*Prompts)(nil)
