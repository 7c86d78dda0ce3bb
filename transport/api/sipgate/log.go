// SPDX-License-Identifier: MIT

package sipgate

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/engine"
)

// Archive is what is known of calls that are over, and of those that live.
type Archive interface {
	// EventsOf gives up to limit events of some kinds of an account's latest calls,
	// the newest first.
	EventsOf(ctx context.Context, account string, kinds []engine.EventKind, limit int) ([]engine.Event, error)
	// Past gives a page of what happened on an account and passes a filter, the
	// newest first, behind so many, and how many there are in all.
	Past(ctx context.Context, f engine.PastFilter, limit, offset int) (past []engine.Past, total int, err error)
	// Call gives one call of any account with its timeline. The error of one that is
	// not there is fs.ErrNotExist.
	Call(ctx context.Context, id engine.ID) (engine.Record, []engine.Event, error)
}

// mostPushes is how many pushes the log shows, and mostLogged how many events it is
// made of; a push has two at least.
const (
	mostPushes = 100
	mostLogged = 400
)

// push is one push in the log.
type push struct {
	Created  time.Time `json:"created"`
	URL      string    `json:"url"`
	Request  string    `json:"request"`
	Response string    `json:"response"`
	XMLError string    `json:"xmlError"`
	Status   string    `json:"status"`

	name string
	told bool // that something came back
}

// listPushes is GET /log/webhooks: the latest pushes, the newest first.
func (f *Face) listPushes(r *request) (any, error) {
	events, err := f.config.Archive.EventsOf(r.Context(), r.token.Account,
		[]engine.EventKind{engine.EventRequest, engine.EventReply, engine.EventProblem}, mostLogged)
	if err != nil {
		return nil, away(err)
	}
	pushes := pushesOf(events)
	return map[string]any{"items": pushes[:min(len(pushes), mostPushes)]}, nil
}

// pushesOf makes the log of events, the newest first of both. What was asked of
// nobody, or of an app that has no log, is no part of it.
func pushesOf(events []engine.Event) []*push {
	log := []*push{}
	last := map[engine.ID][]*push{} // of each call, the latest at the end
	for _, e := range slices.Backward(events) {
		all := last[e.Call]
		switch {
		case e.Kind == engine.EventRequest && e.Data.URL != "":
			p := &push{Created: e.At.UTC(), URL: e.Data.URL, Request: e.Data.Body, name: e.Data.Name}
			last[e.Call] = append(all, p)
			if !e.Data.Unlogged {
				log = append(log, p)
			}
		case e.Kind == engine.EventReply:
			i := slices.IndexFunc(all, func(p *push) bool { return p.name == e.Data.Name && !p.told })
			if i < 0 { // the fallback answers the same question
				if log, i = again(log, &all, e); i < 0 {
					continue
				}
				last[e.Call] = all
			}
			all[i].answered(e)
		case e.Kind == engine.EventProblem && len(all) > 0 && e.Data.Problem != nil:
			p := all[len(all)-1]
			p.XMLError = strings.TrimPrefix(p.XMLError+"; "+e.Data.Problem.String(), "; ")
		}
	}
	slices.Reverse(log)
	return log
}

// again logs the push that a second reply belongs to: the same as the latest of its
// name, to another URL. It gives where that stands in the pushes of the call.
func again(log []*push, all *[]*push, e engine.Event) ([]*push, int) {
	for _, p := range slices.Backward(*all) {
		if p.name == e.Data.Name {
			next := &push{Created: e.At.UTC(), URL: e.Data.URL, Request: p.Request, name: p.name}
			*all = append(*all, next)
			if slices.Contains(log, p) {
				log = append(log, next)
			}
			return log, len(*all) - 1
		}
	}
	return log, -1
}

// answered notes what came back.
func (p *push) answered(e engine.Event) {
	p.told = true
	if e.Data.Status == 0 {
		p.XMLError = strings.TrimPrefix(e.Text, e.Data.Name+": ")
		return
	}
	p.Status = strconv.Itoa(e.Data.Status)
	p.Response = fmt.Sprintf("HTTP/1.1 %d %s\r\n\r\n%s", e.Data.Status, http.StatusText(e.Data.Status), e.Data.Body)
	if !strings.HasPrefix(e.Text, fmt.Sprintf("%s: %d from ", e.Data.Name, e.Data.Status)) { // it was no success after all
		p.XMLError = strings.TrimPrefix(e.Text, e.Data.Name+": ")
	}
}
