// SPDX-License-Identifier: MIT

package engine

import (
	"context"
	"fmt"
	"maps"

	"github.com/callwright/callwright/directory"
)

// application is the App of a call, how it is spoken to, and what it is asked.
type application struct {
	directory.App
	dialect Dialect
	outbox  *outbox
	asking  *question // nil unless it is being asked
	asked   Event     // what it was asked about last
}

// question is something the app is being asked. Its answer is waited for even
// when the caller gives up meanwhile: it may say who wants to know of the end.
type question struct {
	why   Event
	reply chan Reply // has room for the one reply
	token uint64     // that comes with it
	left  bool       // nobody waits for it any more
	// late is the request, where it leaves behind what the app is told of calls before.
	late *Request
	// around is what the program around a nested one was asking.
	around *question
}

// ask puts an event to the app and gives the program that answers it, or the
// dialect's own if there is none.
func (c *Call) ask(ctx context.Context, why Event) (Program, error) {
	r, ok := c.request(why)
	if !ok {
		return c.missing(MissingEmpty), nil
	}
	q := &question{why: why, reply: make(chan Reply, 1), around: c.app.asking}
	c.app.asking = q
	c.waiting.token++
	token := c.waiting.token
	q.token = token
	c.engine.goroutines.Go(func() {
		q.reply <- c.engine.exchange(c.engine.ctx, c.timeline, r, askPatience)
		c.inbox.put(done{token: token})
	})
	_, err := c.Await(ctx, func(m Message) bool { d, ok := m.(done); return ok && d.token == token })
	if err != nil {
		return nil, err
	}
	c.app.asking = q.around
	reply := <-q.reply
	if reply.Err != nil {
		return c.missing(MissingUnreachable), nil
	}
	document, problems := c.read(&c.record, why, reply)
	switch {
	case len(document.Program) > 0:
		return document.Program, nil
	case len(problems) > 0:
		return c.missing(MissingBad), nil
	}
	return c.missing(MissingEmpty), nil
}

// request words the question what to do about an event, or puts on the timeline why
// nobody is asked.
func (c *Call) request(why Event) (r Request, ok bool) {
	c.app.asked = why
	if begins := why.Kind == EventIncoming || why.Kind == EventOutgoing; begins && c.leaveOut() {
		return Request{}, false
	}
	if r = c.app.dialect.Request(c.Info(), why); r.URL != "" {
		return r, true
	}
	nobody := fmt.Sprintf("app %q has no URL for it", c.record.App)
	if c.record.App == "" {
		nobody = "no app is configured for it"
	}
	c.note(EventRequest, Data{Name: r.Name}, "%s: nobody to ask: %s", r.Name, nobody)
	return r, false
}

// askLate has the app asked about a call that is over, or sent on, before its turn came:
// the app is told that the call before goes on as this one. The answer only says who
// wants to know of the end.
func (c *Call) askLate(why Event) {
	if r, ok := c.request(why); ok {
		c.app.asking = &question{why: why, reply: make(chan Reply, 1), late: &r}
	}
}

// missing gives the dialect's own program.
func (c *Call) missing(why Missing) Program {
	return c.app.dialect.Default(c.Info(), c.app.asked, why)
}

// read parses a reply, puts what is wrong with it on the timeline, and has the
// record remember what is to be remembered.
func (c *Call) read(record *Record, why Event, reply Reply) (Document, []Problem) {
	document, problems := c.app.dialect.Parse(c.info(*record), why, reply)
	for _, p := range problems {
		c.Complain(p)
	}
	if len(document.Remember) > 0 {
		*record = record.clone()
		if record.Dialect == nil {
			record.Dialect = DialectState{}
		}
		maps.Copy(record.Dialect, document.Remember)
		c.engine.config.Journal.Append(RecordSaved{record.clone()})
	}
	return document, problems
}

// tell queues what the app is told about an event.
func (c *Call) tell(e Event) { c.tellOf(c.Info(), e) }

// tellOf queues what is told of a call as which the party was here before.
func (c *Call) tellOf(of CallInfo, e Event) {
	for _, r := range c.engine.dialectOf(of.App).Notify(of, e) {
		to := c.app.outbox
		if r.Aside {
			to = to.beside()
		}
		to.add(telling{timeline: c.timeline, words: func() []Request { return []Request{r} }})
	}
}

// wantsEnd says whether the app is to be told of the end, or may still say so.
func (c *Call) wantsEnd(ended Event) bool {
	return c.app.asking != nil || len(c.app.dialect.Notify(c.Info(), ended)) > 0
}

// tellEnd queues what the app is told about the end. An app that was being
// asked when the call ended is heard out first: only its answer may say that it
// wants to know of the end. Then the call is settled.
func (c *Call) tellEnd(ended Event) {
	q, info := c.app.asking, c.Info()
	c.app.outbox.add(telling{
		timeline: c.timeline,
		words: func() []Request {
			for ; q != nil; q = q.around {
				if q.late != nil {
					q.reply <- c.engine.exchange(c.engine.ctx, c.timeline, *q.late, 0)
				}
				if reply := <-q.reply; reply.Err == nil {
					c.read(&info.Record, q.why, reply)
				}
			}
			return c.app.dialect.Notify(info, ended)
		},
		told: func() {
			info.Settled = true
			c.engine.config.Journal.Append(RecordSaved{info.Record})
		},
	})
}

// leaveOut has an App hear nothing of a call that its whitelist does not name, and
// says whether it is so.
func (c *Call) leaveOut() bool {
	if c.engine.directory.Listed(c.app.App, c.called.users, c.called.number) {
		return false
	}
	c.app.EventsURL = ""
	c.note(EventRequest, Data{}, "app %q is not asked: its whitelist names no user or group of this call", c.record.App)
	return true
}
