// SPDX-License-Identifier: MIT

package media_test

import (
	"testing"
	"time"

	"github.com/callwright/callwright/media"
)

func TestFiguresInALine(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]media.Figures{
		"0 packets sent, 0 received, jitter 0s": {},
		"10 packets sent, 9 received, jitter 1.3ms, 1 lost, 2 foreign": {
			Sent: 10, Received: 9, Jitter: 1260 * time.Microsecond, Lost: 1, Foreign: 2,
		},
		"10 packets sent, 0 received, jitter 0s, 2 malformed, 9 not authentic": {
			Sent: 10, Malformed: 2, Suite: "AES_CM_128_HMAC_SHA1_80", Refused: 9,
		},
		"500 packets sent, 500 received, jitter 100µs, round trip 40.1ms, the peer lost 3 with jitter 2ms, MOS 4.3": {
			Sent: 500, Received: 500, Jitter: 125 * time.Microsecond, RoundTrip: 40123 * time.Microsecond,
			PeerLost: 3, PeerJitter: 2 * time.Millisecond, MOS: 4.34,
		},
	} {
		if got := f.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
