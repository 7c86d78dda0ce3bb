// SPDX-License-Identifier: MIT

package engine

import (
	"fmt"
	"net/url"
	"sync"
	"time"
)

// timeline numbers the events of one Call and hands them to the journal. The
// Call's goroutine and its outbox both write to it.
type timeline struct {
	call    ID
	journal Journal

	mu  sync.Mutex
	seq int
}

// add numbers an event and keeps it together with the changes it reports.
func (t *timeline) add(at time.Time, kind EventKind, text string, data Data, with ...Change) Event {
	if data.Party != nil { // often that of the record, which goes on changing
		party := *data.Party
		data.Party = &party
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seq++
	e := Event{Call: t.call, Seq: t.seq, At: at, Kind: kind, Text: text, Data: data}
	t.journal.Append(append(with, EventAdded{e})...)
	return e
}

// request says that an App is asked or told something.
func (t *timeline) request(r Request) {
	t.add(time.Now(), EventRequest, fmt.Sprintf("%s: %s %s", r.Name, r.Method, redact(r.URL)), Data{
		Name: r.Name, Method: r.Method, URL: redact(r.URL), Body: string(r.Body), Unlogged: r.Unlogged,
	})
}

// reply says what came of a request: every try, and in the end whether the
// reply counts.
func (t *timeline) reply(r Request, reply Reply) {
	for i, a := range reply.Attempts {
		text := fmt.Sprintf("%s: %d from %s in %d ms", r.Name, a.Status, redact(a.URL), a.Took.Milliseconds())
		if a.Err != nil {
			text = fmt.Sprintf("%s: %s", r.Name, a.Err)
			if i+1 < len(reply.Attempts) {
				text += "; trying the fallback"
			}
		}
		t.add(time.Now(), EventReply, text, Data{
			Name: r.Name, URL: redact(a.URL), Status: a.Status, Millis: a.Took.Milliseconds(), Body: string(a.Body),
		})
	}
	if len(reply.Attempts) == 0 && reply.Err != nil {
		t.add(time.Now(), EventReply, fmt.Sprintf("%s: not sent: %s", r.Name, reply.Err), Data{Name: r.Name, URL: redact(r.URL)})
	}
}

// redact takes the credentials out of a URL.
func redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "a URL that cannot be read"
	}
	u.User = nil
	return u.String()
}
