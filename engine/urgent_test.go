// SPDX-License-Identifier: MIT

package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/engine/enginetest"
	"github.com/callwright/callwright/verbs"
)

// A call that has rung an emergency service is under the limits again as soon as
// it does so no more.
func TestLimitsBehindAnEmergencyService(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ answered, lasts time.Duration }{
		"rung in time": {time.Second, 30 * time.Second},
		"rung beyond":  {45 * time.Second, 45 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &phrase{programs: []engine.Program{{verbs.Dial{Targets: []engine.Target{{Address: ambulance}, {Address: outside}}}}}}
				h := house(t, p, func(c *engine.Config) { c.Limits = engine.Limits{MaxDuration: 30 * time.Second} })
				h.Target("112", func(*enginetest.Leg) {})
				h.Target(outside.Value, func(l *enginetest.Leg) { time.Sleep(tc.answered); l.Emit(engine.LegAnswered{}) })
				h.Call(t, caller, called, number)
				time.Sleep(3 * time.Hour)
				call := h.Journal.Records()[0]
				if call.Cause != engine.CauseMaxDuration || call.EndedAt == nil || call.EndedAt.Sub(call.StartedAt) != tc.lasts {
					t.Errorf("the call is %s, %s, ended at %v; want it to last %v", call.State, call.Cause, call.EndedAt, tc.lasts)
				}
				h.Close(t)
			})
		})
	}
}
