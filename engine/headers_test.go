// SPDX-License-Identifier: MIT

package engine_test

import (
	"testing"
	"testing/synctest"

	"github.com/callwright/callwright/engine"
)

// The X- headers that a call came with are on its timeline, and go to whoever it
// rings; of a refused call too they are kept.
func TestHeaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := desks(t, nil, bob)
		arrival := engine.Arrival{From: caller, To: called, Number: number, Headers: []engine.Header{{Name: "X-Ticket", Value: "7"}}}
		in, err := h.Arrive(arrival)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		equal(t, "dialled with", h.Dialled()[0].Request.Headers, arrival.Headers)
		in.HangUp()
		synctest.Wait()
		h.Engine.Refuse(arrival, engine.Refusal{Cause: engine.CauseOverload, Status: 503})
		for i, r := range h.Journal.Records() {
			came := h.Journal.Events(r.ID, engine.EventIncoming)
			if r.Direction == engine.In && (len(came) != 1 || len(came[0].Data.Headers) != 1) {
				t.Errorf("call %d: %+v", i, came)
			}
		}
		h.Close(t)
	})
}
