// SPDX-License-Identifier: MIT

package engine_test

import (
	"testing"

	"github.com/callwright/callwright/engine"
)

// The table of causes, as the SIP statuses of targets lead to it and as
// sipgate.io words it (spec section 1.5).
func TestCauses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status  int
		rang    bool
		cause   engine.Cause
		sipgate string
	}{
		{486, true, engine.CauseBusy, "busy"}, {600, false, engine.CauseBusy, "busy"},
		{603, true, engine.CauseRejected, "noAnswer"}, {403, false, engine.CauseRejected, "noAnswer"},
		{480, true, engine.CauseNoAnswer, "noAnswer"}, {408, true, engine.CauseNoAnswer, "noAnswer"},
		{480, false, engine.CauseOffline, "notFound"},
		{404, false, engine.CauseNotFound, "notFound"}, {410, false, engine.CauseNotFound, "notFound"},
		{484, false, engine.CauseNotFound, "notFound"}, {485, false, engine.CauseNotFound, "notFound"},
		{604, false, engine.CauseNotFound, "notFound"},
		{408, false, engine.CauseUnreachable, "congestion"}, {500, true, engine.CauseUnreachable, "congestion"},
		{503, false, engine.CauseUnreachable, "congestion"}, {488, false, engine.CauseUnreachable, "congestion"},
		{606, false, engine.CauseUnreachable, "congestion"},
		{487, true, engine.CauseNoAnswer, "noAnswer"}, {487, false, engine.CauseUnreachable, "congestion"},
	} {
		got := engine.CauseOfStatus(tt.status, tt.rang)
		if got != tt.cause || got.Words().Sipgate != tt.sipgate {
			t.Errorf("%d (rang: %t) is %s, %s at sipgate, want %s, %s", tt.status, tt.rang, got, got.Words().Sipgate, tt.cause, tt.sipgate)
		}
	}
	for cause, want := range map[engine.Cause]string{
		engine.CauseNormal: "normalClearing", engine.CauseMaxDuration: "normalClearing", engine.CauseForwarded: "forwarded",
		engine.Cause("no such cause"): "congestion",
	} {
		if got := cause.Words().Sipgate; got != want {
			t.Errorf("%s is %s at sipgate, want %s", cause, got, want)
		}
	}
	// The caller that gave up had its 487 already; the one that an API gave up for not.
	if got := engine.CauseCancelled.Words(); got.SIPStatus != 480 || got.Sipgate != "cancel" {
		t.Errorf("cancelled is %+v", got)
	}
	order := []engine.Cause{engine.CauseBusy, engine.CauseNoAnswer, engine.CauseUnreachable, engine.CauseNotFound}
	for i := 1; i < len(order); i++ {
		if !order[i-1].Better(order[i]) || order[i].Better(order[i-1]) {
			t.Errorf("%s must tell more than %s", order[i-1], order[i])
		}
	}
	if !engine.CauseOffline.Better("") {
		t.Error("any cause tells more than none")
	}
}
