// SPDX-License-Identifier: MIT

package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// outbox tells an App what happened on the Calls of a chain: in order, one at a
// time, and outside their goroutines, because nothing waits for the replies. It has a
// goroutine only while there is something to tell, and goes on when they
// are gone.
type outbox struct {
	engine *Engine

	mu      sync.Mutex
	queue   []telling
	running bool
	// aside is for what is told beside; nil until there is something.
	aside *outbox
}

// beside is the outbox of what is told Aside.
func (o *outbox) beside() *outbox {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.aside == nil {
		o.aside = &outbox{engine: o.engine}
	}
	return o.aside
}

// telling is something to be told.
type telling struct {
	// timeline is that of the Call which it is about.
	timeline *timeline
	// words gives the requests when it is their turn; it may wait, but not for
	// the Call.
	words func() []Request
	// told, if set, is called when all of them were tried, but not when the
	// server stopped before.
	told func()
}

// add queues something to tell behind what waits.
func (o *outbox) add(t telling) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = append(o.queue, t)
	if !o.running {
		o.running = true
		o.engine.goroutines.Go(o.run)
	}
}

// next gives what is to be told now, if anything is left.
func (o *outbox) next() (t telling, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) == 0 {
		o.running = false
		return telling{}, false
	}
	t = o.queue[0]
	o.queue = o.queue[1:]
	return t, true
}

func (o *outbox) run() {
	for t, ok := o.next(); ok; t, ok = o.next() {
		err := guarded(func() error {
			for _, r := range t.words() {
				o.engine.exchange(o.engine.ctx, t.timeline, r, 0)
			}
			return nil
		})
		if err != nil {
			o.engine.config.Logger.Error("an event could not be told", "call", t.timeline.call.String(), "err", err)
		}
		if t.told != nil && o.engine.ctx.Err() == nil {
			t.told()
		}
	}
}

// askPatience is how long a question waits for a database that is away. A caller
// hears nothing meanwhile.
const askPatience = 5 * time.Second

// exchange sends one request and puts it and what came of it on the timeline.
// The state that it reports is durable before it leaves; patience is how long it
// waits for that, 0 as long as it takes.
func (e *Engine) exchange(ctx context.Context, t *timeline, r Request, patience time.Duration) Reply {
	t.request(r)
	if err := e.durable(ctx, patience); err != nil {
		reply := Reply{URL: r.URL, Err: fmt.Errorf("what it reports could not be recorded: %w", err)}
		t.reply(r, reply)
		return reply
	}
	var reply Reply
	if err := guarded(func() error { reply = e.config.Fetcher.Fetch(ctx, r); return nil }); err != nil {
		e.config.Logger.Error("a request failed inside the server", "call", t.call.String(), "err", err)
		reply = Reply{URL: r.URL, Err: errors.New("the request failed inside the server; its log says why")}
	}
	t.reply(r, reply)
	return reply
}

// durable waits until what was appended is, but no longer than patience.
func (e *Engine) durable(ctx context.Context, patience time.Duration) error {
	if patience > 0 {
		limited, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		ctx = limited
	}
	return e.config.Journal.Durable(ctx)
}
