// SPDX-License-Identifier: MIT

package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/prompt"
)

const (
	// soundTimeout is for fetching one sound file, redirects and all: a caller
	// waits in silence for it.
	soundTimeout   = 10 * time.Second
	soundRedirects = 3

	defaultFileLimit  = 10 << 20 // eleven minutes of 8 kHz 16-bit mono
	defaultCacheLimit = 64 << 20
)

// ErrClosed says that Prompts gives no more sound, as it was closed.
var ErrClosed = errors.New("the server is shutting down")

// PromptsConfig says how sound files are fetched and kept.
type PromptsConfig struct {
	// Client fetches the files, through its egress guard. Required.
	Client *Client
	// FileLimit is how long a file may be, in bytes; 0 means 10 MiB. Beyond
	// prompt.MaxSize it has no effect.
	FileLimit int64
	// CacheLimit is how much decoded sound is kept, in bytes; 0 means 64 MiB.
	CacheLimit int
}

// Prompts gives the sound files that Apps name by URL. Calls that want one URL
// at the same time share one fetch, and a file is used again while it is fresh
// (see freshFor). It is safe for use by many goroutines at once.
type Prompts struct {
	config PromptsConfig

	mu      sync.Mutex
	closed  bool
	cache   *cache
	flights map[string]*flight
	running sync.WaitGroup
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
		config.FileLimit = defaultFileLimit
	}
	if config.CacheLimit <= 0 {
		config.CacheLimit = defaultCacheLimit
	}
	return &Prompts{config: config, cache: newCache(config.CacheLimit), flights: make(map[string]*flight)}
}

// Prompt gives the sound file at a URL, ready to be played. It returns as soon
// as ctx ends; the fetch goes on while another call waits for it.
func (p *Prompts) Prompt(ctx context.Context, url string) (*media.Prompt, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, fmt.Errorf("fetch sound file: %w", ErrClosed)
	}
	if sound := p.cache.get(url, time.Now()); sound != nil {
		p.mu.Unlock()
		return sound, nil
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
	p.running.Go(func() {
		defer cancel()
		sound, fresh, err := p.fetch(ctx, url)
		p.mu.Lock()
		defer p.mu.Unlock()
		f.sound, f.err = sound, err
		if err == nil && fresh > 0 {
			p.cache.put(url, sound, time.Now().Add(fresh))
		}
		p.forget(url, f)
		close(f.done)
	})
	return f
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

// fetch gets and decodes one file and says how long it is fresh.
func (p *Prompts) fetch(ctx context.Context, url string) (*media.Prompt, time.Duration, error) {
	reply := p.config.Client.exchange(ctx, engine.Request{
		Name:   "sound",
		Method: http.MethodGet,
		Header: http.Header{"Accept": {"audio/wav, audio/x-wav, */*;q=0.1"}},
	}, url, limits{
		timeout:   soundTimeout,
		redirects: soundRedirects,
		from:      http.StatusOK,
		to:        http.StatusOK,
		size:      p.config.FileLimit,
	})
	if reply.Err != nil {
		return nil, 0, reply.Err
	}
	sound, err := prompt.Decode(reply.URL, bytes.NewReader(reply.Body))
	if err != nil {
		return nil, 0, err
	}
	return sound, freshFor(reply.Header), nil
}

var _ engine.Prompts = (*Prompts)(nil)
