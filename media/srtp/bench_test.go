// SPDX-License-Identifier: MIT

package srtp

import "testing"

// BenchmarkSeal measures what encrypting a packet of 20 ms costs, and
// BenchmarkUnseal the other way.
func BenchmarkSeal(b *testing.B) {
	for _, suite := range suites {
		b.Run(suite.String(), func(b *testing.B) {
			s, _ := pair(b, keysOf(suite, 1))
			packet, n := sound(1, 0), uint16(0)
			b.ReportAllocs()
			for b.Loop() {
				n++
				packet[2], packet[3] = byte(n>>8), byte(n)
				if _, err := s.SealRTP(packet); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUnseal(b *testing.B) {
	for _, suite := range suites {
		b.Run(suite.String(), func(b *testing.B) {
			s, u := pair(b, keysOf(suite, 1))
			packet, n := sound(1, 0), uint16(0)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				n++
				packet[2], packet[3] = byte(n>>8), byte(n)
				sealed, err := s.SealRTP(packet)
				if err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				if _, err := u.UnsealRTP(sealed); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
