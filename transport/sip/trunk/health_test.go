// SPDX-License-Identifier: MIT

package trunk

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/google/go-cmp/cmp"
)

// Two OPTIONS in a row without an answer make a trunk the last to be tried, one
// answer brings it back; any answer counts that is no overload.
func TestOptions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		watched := directory.Trunk{Name: "t", Account: directory.DefaultAccount, Address: "carrier.test", Options: "30s"}
		other := directory.Trunk{Name: "other", Account: directory.DefaultAccount, Address: "other.test"}
		h := newHouse(t, &carrier{options: []dialog.Response{
			{Status: 200}, {Status: 503}, {Status: 405}, {Status: 503}, {Status: 408, Phrase: "Request Timeout"}, {Status: 503}, {Status: 404}, {},
		}}, watched, other)
		h.Start()
		defer h.Close()
		var healthy []bool
		for range 7 {
			synctest.Wait()
			first := h.Order([]directory.Trunk{watched, other})[0].Name == "t"
			status := h.Status()[0]
			if healthy = append(healthy, first); status.Healthy != first || status.Healthy != (status.Error == "") {
				t.Errorf("the status says %+v", status)
			}
			time.Sleep(30 * time.Second)
		}
		if diff := cmp.Diff([]bool{true, true, true, true, false, false, true}, healthy); diff != "" {
			t.Error(diff, h.heard())
		}
		time.Sleep(31*time.Second + 2*patience)
		if status := h.Status()[0]; status.Healthy || !strings.Contains(status.Error, "no answer to OPTIONS") {
			t.Errorf("of one that is silent the status says %+v", status)
		}
		if log := h.log.String(); strings.Count(log, "is not there") != 2 || strings.Count(log, "is there again") != 1 || !strings.Contains(log, "no answer to OPTIONS") {
			t.Error(log)
		}
	})
}

// A trunk that asks to be left alone is, for as long as it says.
func TestAvoid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := directory.Trunk{Name: "a"}, directory.Trunk{Name: "b"}
		h := newHouse(t, &carrier{})
		first := func() string { return h.Order([]directory.Trunk{a, b})[0].Name }
		h.Avoid(a, 0, "")
		if first() != "a" {
			t.Error("it said nothing")
		}
		h.Avoid(a, time.Minute, "503")
		if first() != "b" {
			t.Error("it gets calls")
		}
		time.Sleep(time.Minute)
		if first() != "a" {
			t.Error("it gets no more calls")
		}
		h.Avoid(a, 100*time.Hour, "503")
		time.Sleep(longestRefusal)
		if first() != "a" {
			t.Error("it is left alone for hours")
		}
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		trunk := directory.Trunk{Name: "t", MaxCalls: 2}
		h := newHouse(t, &carrier{})
		enter := func() func() {
			leave, err := h.Enter(trunk, false)
			if err != nil {
				t.Fatal(err)
			}
			return leave
		}
		one, _ := enter(), enter()
		if _, err := h.Enter(trunk, false); !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), `trunk "t" carries 2 calls (trunks[].max_calls)`) {
			t.Error(err)
		}
		if leave, err := h.Enter(trunk, true); err != nil {
			t.Errorf("a call that must get through: %v", err)
		} else {
			leave()
		}
		one()
		one() // counts once
		enter()
		if _, err := h.Enter(trunk, false); err == nil {
			t.Error("a third call got in")
		}

		fast := directory.Trunk{Name: "fast", CallsPerSecond: 3}
		count := 0
		for range 40 { // 4 s
			if _, err := h.Enter(fast, false); err == nil {
				count++
			} else if !strings.Contains(err.Error(), "calls_per_second") {
				t.Error(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if count != 12 {
			t.Errorf("%d calls in 4 s", count)
		}
	})
}
