// SPDX-License-Identifier: MIT

package engine

import (
	"context"
	"errors"
	"sync"
)

// outbox tells an App what happened on one Call: in order, one at a time, and
// outside the Call's goroutine, because nothing waits for the replies. It has a
// goroutine only while there is something to tell, and goes on when the Call
// itself is gone.
type outbox struct {
	engine   *Engine
	timeline *timeline

	mu      sync.Mutex
	queue   []telling
	running bool
}

// telling is something to be told.
type telling struct {
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
				o.engine.exchange(o.engine.ctx, o.timeline, r)
			}
			return nil
		})
		if err != nil {
			o.engine.log.Error("an event could not be told", "call", o.timeline.call.String(), "err", err)
		}
		if t.told != nil && o.engine.ctx.Err() == nil {
			t.told()
		}
	}
}

// exchange sends one request and puts it and what came of it on the timeline.
// The state that it reports is durable before it leaves.
func (e *Engine) exchange(ctx context.Context, t *timeline, r Request) Reply {
	t.request(r)
	if err := e.journal.Durable(ctx); err != nil {
		reply := Reply{URL: r.URL, Err: err}
		t.reply(r, reply)
		return reply
	}
	var reply Reply
	if err := guarded(func() error { reply = e.fetcher.Fetch(ctx, r); return nil }); err != nil {
		e.log.Error("a request failed inside the server", "call", t.call.String(), "err", err)
		reply = Reply{URL: r.URL, Err: errors.New("the request failed inside the server; its log says why")}
	}
	t.reply(r, reply)
	return reply
}
