// SPDX-License-Identifier: MIT

package api

import (
	"net/http"
	"sync"
	"time"
)

// perOutage is how often the log is told that a route still fails: clients that poll
// would fill it while the database is away.
const perOutage = time.Minute

// outages are the routes that fail because something beneath them is away. There are
// no more than there are routes.
type outages struct {
	mu sync.Mutex
	of map[string]*outage
}

// outage is one of them.
type outage struct {
	told   time.Time // when the log was told of it last
	untold int       // failures since then
}

// failed counts a failure, and says whether the log is to be told and how many it was
// not told of before.
func (o *outages) failed(route string, now time.Time) (tell bool, untold int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	one := o.of[route]
	if one == nil {
		if o.of == nil {
			o.of = map[string]*outage{}
		}
		one = &outage{told: now.Add(-perOutage)}
		o.of[route] = one
	}
	if now.Sub(one.told) < perOutage {
		one.untold++
		return false, 0
	}
	untold = one.untold
	one.told, one.untold = now, 0
	return true, untold
}

// succeeded ends an outage, and says whether there was one and how many failures the
// log was not told of.
func (o *outages) succeeded(route string) (was bool, untold int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	one := o.of[route]
	if one == nil {
		return false, 0
	}
	delete(o.of, route)
	return true, one.untold
}

// tellFailure logs that something a request needs is away: the first time, then once
// a minute with how often.
func (s *Server) tellFailure(r *http.Request, route string, why error) {
	tell, untold := s.outages.failed(r.Method+" "+route, time.Now())
	if !tell {
		return
	}
	attrs := []any{"method", r.Method, "route", route, "err", why}
	if untold > 0 {
		attrs = append(attrs, "failed_as_well", untold)
	}
	s.config.Logger.Error("http request failed; of more like it one line a minute follows", attrs...)
}

// tellSuccess logs that it is back.
func (s *Server) tellSuccess(r *http.Request, route string) {
	if was, untold := s.outages.succeeded(r.Method + " " + route); was {
		s.config.Logger.Info("http requests succeed again", "method", r.Method, "route", route, "failed_as_well", untold)
	}
}
