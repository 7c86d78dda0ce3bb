// SPDX-License-Identifier: MIT

package clock_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/callwright/callwright/media/clock"
)

func TestSleepUntil(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread goes with us
		clock.TuneThread()
		c := clock.New()
		for at := time.Duration(0); at < 30*time.Millisecond; at += 5 * time.Millisecond {
			c.SleepUntil(at)
			if now := c.Now(); now < at {
				t.Errorf("woke at %v, before %v", now, at)
			}
		}
		before := time.Now()
		shown := c.Time(c.Now())
		if after := time.Now(); shown.Before(before) || shown.After(after) {
			t.Errorf("the time of day is %v, want one from %v to %v", shown, before, after)
		}
	}()
	<-done
}
