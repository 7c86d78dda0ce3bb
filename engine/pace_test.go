// SPDX-License-Identifier: MIT

package engine

import (
	"testing"
	"time"
)

// What may begin within a second is counted in any second, also when how many
// that are changes.
func TestPace(t *testing.T) {
	t.Parallel()
	var p Pace
	began := time.Now()
	for i, tt := range []struct {
		at   time.Duration
		most int
		full bool
	}{
		{0, 2, false},
		{900 * time.Millisecond, 2, false},
		{999 * time.Millisecond, 2, true},
		{1000 * time.Millisecond, 2, false},
		{1100 * time.Millisecond, 2, true},
		{1100 * time.Millisecond, 3, false}, // a third one fits
		{1100 * time.Millisecond, 3, true},
		{2099 * time.Millisecond, 1, true}, // fewer fit now
		{2100 * time.Millisecond, 1, false},
		{2100 * time.Millisecond, 0, false}, // no limit
		{2100 * time.Millisecond, 1, false}, // and nothing is known of before
	} {
		now := began.Add(tt.at)
		if full := p.Full(tt.most, now); full != tt.full {
			t.Errorf("%d: full %t, want %t", i, full, tt.full)
		}
		if !tt.full {
			p.Begin(tt.most, now)
		}
		if !tt.full && len(p.begun) > tt.most {
			t.Errorf("%d: %d are kept of %d", i, len(p.begun), tt.most)
		}
	}
}
