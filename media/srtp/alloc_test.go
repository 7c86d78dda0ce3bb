// SPDX-License-Identifier: MIT

//go:build !race

// The race detector has pools forget what they were given.

package srtp

import "testing"

// A packet is sealed and unsealed where it lies, without a byte of new memory.
func TestNoAllocations(t *testing.T) {
	for _, suite := range suites {
		s, u := pair(t, keysOf(suite, 1))
		packet, n := sound(1, 0), uint16(0)
		if allocations := testing.AllocsPerRun(1000, func() {
			n++
			packet[2], packet[3] = byte(n>>8), byte(n)
			sealed, err := s.SealRTP(packet)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := u.UnsealRTP(sealed); err != nil {
				t.Fatal(err)
			}
		}); allocations != 0 {
			t.Errorf("%v: %v allocations a packet", suite, allocations)
		}
	}
}
