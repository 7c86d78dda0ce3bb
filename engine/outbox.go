// SPDX-License-Identifier: MIT

package engine

import (
	"context"
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
	queue   []Request
	running bool
}

// add queues requests behind those that wait.
func (o *outbox) add(requests []Request) {
	if len(requests) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = append(o.queue, requests...)
	if !o.running {
		o.running = true
		o.engine.goroutines.Go(o.run)
	}
}

func (o *outbox) run() {
	for {
		o.mu.Lock()
		if len(o.queue) == 0 {
			o.running = false
			o.mu.Unlock()
			return
		}
		r := o.queue[0]
		o.queue = o.queue[1:]
		o.mu.Unlock()
		o.engine.exchange(o.engine.ctx, o.timeline, r)
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
	reply := e.fetcher.Fetch(ctx, r)
	t.reply(r, reply)
	return reply
}
