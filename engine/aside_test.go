// SPDX-License-Identifier: MIT

package engine_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
)

// gossip is a phrase that tells of ringing and answers beside the rest.
type gossip struct{ phrase }

func (g *gossip) Notify(c engine.CallInfo, e engine.Event) []engine.Request {
	told := g.phrase.Notify(c, e)
	if e.Kind == engine.EventRinging || e.Kind == engine.EventAnswered {
		told = append(told, engine.Request{Name: "gossip " + string(e.Kind) + " " + e.Data.Party.Value, Method: "POST", URL: "http://gossip/", Aside: true})
	}
	return told
}

// What is told beside is told in order, of each target once, and holds up nothing:
// here it takes an hour each.
func TestToldAside(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first, second := directory.NumberAddress("+4930222"), directory.NumberAddress("+49228")
		g := &gossip{phrase{programs: []engine.Program{ring(first, second)}}}
		h := enginetest.New(t, entries, map[string]engine.Dialect{"": g, "phrase": g})
		h.Target(first.Value, func(l *enginetest.Leg) {
			l.Emit(engine.LegRinging{Status: 180})
			l.Emit(engine.LegRinging{Status: 183, Sound: true})
			l.Emit(engine.LegRinging{Status: 180})
		})
		h.Target(second.Value, func(l *enginetest.Leg) {
			time.Sleep(time.Second)
			l.Emit(engine.LegRinging{Status: 180})
			time.Sleep(2 * time.Second)
			l.Emit(engine.LegAnswered{})
			time.Sleep(10 * time.Second)
			l.HangUp()
		})
		began := time.Now()
		var mu sync.Mutex
		told := map[string]time.Duration{}
		h.App.Answer(func(r engine.Request) engine.Reply {
			if r.Aside {
				time.Sleep(time.Hour)
			}
			mu.Lock()
			defer mu.Unlock()
			told[r.Name] = time.Since(began)
			return engine.Reply{URL: r.URL, Status: 200}
		})
		h.Call(t, caller, called, number)
		time.Sleep(4 * time.Hour)
		synctest.Wait()
		equal(t, "told", told, map[string]time.Duration{
			"incoming": 0, "answered": 3 * time.Second, "ended": 13 * time.Second,
			"gossip ringing +4930222": time.Hour, "gossip ringing +49228": 2 * time.Hour, "gossip answered +49228": 3 * time.Hour,
		})
		equal(t, "asked and told", len(h.App.Asked()), len(told))
		h.Close(t)
	})
}
