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
		for range maxWrong - 1 {
			th.wrong(guest(1))
		}
		if wait := th.wait(guest(1), "id"); wait != "" {
			t.Errorf("one guess before the last it must wait %s s", wait)
		}
		time.Sleep(perWrong / 2)
		th.wrong(guest(1))
		if wait := th.wait(guest(1), "id"); wait != "31" {
			t.Errorf("in the middle of the minute it must wait %q s", wait)
		}
		if wait := th.wait(guest(2), "id"); wait != "" {
			t.Errorf("another source must wait %s s", wait)
		}
		time.Sleep(perWrong/2 + time.Second)
		if wait := th.wait(guest(1), "id"); wait != "" {
			t.Errorf("when the minute is over it must wait %s s", wait)
		}
		th.wrong(guest(1))
		if wait := th.wait(guest(1), "id"); wait != "" {
			t.Errorf("with the first guess of the next minute it must wait %s s", wait)
		}
	})
}

// However many guess, or are right, not more is remembered than there is room for;
// and who is still kept out is not forgotten for one that is over.
func TestThrottleIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle()
		for i := range 3 * maxSources {
			th.wrong(guest(i))
			if len(th.sources) > maxSources {
				t.Fatalf("%d sources are remembered", len(th.sources))
			}
		}
		time.Sleep(2 * perWrong)
		for range maxWrong {
			th.wrong(guest(-1))
		}
		for i := range maxSources - 1 {
			th.right(guest(i), "id")
		}
		if th.wait(guest(-1), "id") == "" {
			t.Error("who guesses was forgotten for others")
		}
		for i := range 2 * maxRight {
			th.right(guest(1), string(rune('a'+i)))
		}
		if n := len(th.sources[guest(1)].right); n > maxRight {
			t.Errorf("%d tokens of one source are remembered", n)
		}
	})
}
