// SPDX-License-Identifier: MIT

package registrar

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/directory"
)

// The phones of a user who is not there any more are forgotten: whoever gets the
// same id would be rung on them.
func TestUserGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var gone atomic.Bool
		h := newHouse(t, Config{May: func(account, user string) bool { return account == "a" && user == "w0" && !gone.Load() }})
		h.register("Contact: <sip:alice@10.0.0.1>")
		time.Sleep(2 * sweepEvery)
		synctest.Wait()
		h.journaled("saved w0 sip:alice@10.0.0.1")
		gone.Store(true)
		time.Sleep(sweepEvery)
		synctest.Wait()
		h.journaled("ended w0 sip:alice@10.0.0.1")
		if h.Knows(home) || len(h.All()) != 0 {
			t.Errorf("alice is at %q", h.contacts())
		}
	})
}

// What is kept of a phone that was at another node is forgotten here only: there
// it may have been renewed.
func TestOtherNode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, Config{Saved: []directory.Registration{{
			Account: "a", User: "w0", Contact: "sip:alice@there", Source: "udp:192.0.2.1:5060", Node: "there", Expires: time.Now().Add(time.Minute),
		}}})
		if got := h.contacts(); !slices.Equal(got, []string{"sip:alice@there"}) {
			t.Errorf("alice is at %q", got)
		}
		time.Sleep(time.Minute + sweepEvery)
		synctest.Wait()
		h.journaled()
		if len(h.places) != 0 || h.Knows(home) {
			t.Errorf("still there: %v", h.places)
		}
	})
}
