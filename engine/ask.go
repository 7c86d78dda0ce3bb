// SPDX-License-Identifier: MIT

package engine

import (
	"context"
	"maps"
)

// question is something the app is being asked. Its answer is waited for even
// when the caller gives up meanwhile: it may say who wants to know of the end.
type question struct {
	request Request
	reply   chan Reply // has room for the one reply
}

// ask puts an event to the app and gives the program that answers it, or the
// dialect's own if there is none.
func (c *Call) ask(ctx context.Context, why Event) (Program, error) {
	r := c.dialect.Request(c.Info(), why)
	if r.URL == "" {
		c.note(EventRequest, Data{Name: r.Name}, "%s: nobody to ask: app %q has no URL for it", r.Name, c.record.App)
		return c.dialect.Default(c.Info(), MissingEmpty), nil
	}
	q := &question{request: r, reply: make(chan Reply, 1)}
	around := c.asking
	c.asking = q
	c.token++
	token := c.token
	c.engine.goroutines.Go(func() {
		q.reply <- c.engine.exchange(c.engine.ctx, c.timeline, r)
		c.inbox.put(done{token: token})
	})
	_, err := c.Await(ctx, func(m Message) bool { d, ok := m.(done); return ok && d.token == token })
	if err != nil {
		return nil, err
	}
	c.asking = around
	reply := <-q.reply
	if reply.Err != nil {
		return c.dialect.Default(c.Info(), MissingUnreachable), nil
	}
	document, problems := c.read(&c.record, r, reply)
	switch {
	case len(document.Program) > 0:
		return document.Program, nil
	case len(problems) > 0:
		return c.dialect.Default(c.Info(), MissingBad), nil
	}
	return c.dialect.Default(c.Info(), MissingEmpty), nil
}

// read parses a reply, puts what is wrong with it on the timeline, and has the
// record remember what is to be remembered.
func (c *Call) read(record *Record, r Request, reply Reply) (Document, []Problem) {
	document, problems := c.dialect.Parse(r, reply)
	for _, p := range problems {
		c.Complain(p)
	}
	if len(document.Remember) > 0 {
		*record = record.clone()
		if record.Dialect == nil {
			record.Dialect = DialectState{}
		}
		maps.Copy(record.Dialect, document.Remember)
		c.engine.journal.Append(RecordSaved{record.clone()})
	}
	return document, problems
}

// tell queues what the app is told about an event.
func (c *Call) tell(e Event) {
	requests := c.dialect.Notify(c.Info(), e)
	c.outbox.add(func() []Request { return requests })
}

// tellEnd queues what the app is told about the end. An app that was being
// asked when the call ended is heard out first: only its answer may say that it
// wants to know of the end.
func (c *Call) tellEnd(ended Event) {
	q, info := c.asking, c.Info()
	c.outbox.add(func() []Request {
		if q != nil {
			if reply := <-q.reply; reply.Err == nil {
				c.read(&info.Record, q.request, reply)
			}
		}
		return c.dialect.Notify(info, ended)
	})
}
