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
		if d := time.Since(c.Time(c.Now())); d < 0 || d > time.Second {
			t.Errorf("the time of day is %v off", d)
		}
	}()
	<-done
}
