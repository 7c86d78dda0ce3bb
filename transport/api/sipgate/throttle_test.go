// SPDX-License-Identifier: MIT

package sipgate

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func guest(n int) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(n))))
}

// A source that guessed too often is looked at again when its minute is over.
func TestThrottleForgives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle()
		want := func(from netip.Addr, wait string) {
			t.Helper()
			if got, tell := th.wrong(from); got != wait || tell != (wait == "") {
				t.Errorf("it must wait %q s, want %q; the log is told: %v", got, wait, tell)
			}
		}
		for range maxWrong {
			want(guest(1), "")
		}
		want(guest(1), "61")
		time.Sleep(perWrong / 2)
		want(guest(1), "31")
		want(guest(2), "")
		time.Sleep(perWrong/2 + time.Second)
		want(guest(1), "")
	})
}

// However many guess, not more is remembered than there is room for, the log is
// told of some, and who is to wait is not forgotten for those that are over.
func TestThrottleIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle()
		told := 0
		for i := range 3 * maxSources {
			if _, tell := th.wrong(guest(i)); tell {
				told++
			}
			if len(th.sources) > maxSources {
				t.Fatalf("%d sources are remembered", len(th.sources))
			}
		}
		if told != maxTold {
			t.Errorf("the log was told of %d in a minute, want %d", told, maxTold)
		}
		time.Sleep(2 * perWrong)
		for range maxWrong {
			th.wrong(guest(-1))
		}
		for i := range maxSources - 1 {
			th.wrong(guest(i))
		}
		if wait, _ := th.wrong(guest(-1)); wait == "" {
			t.Error("who guesses was forgotten for others")
		}
	})
}
