// SPDX-License-Identifier: MIT

package emodel_test

import (
	"math"
	"testing"
	"time"

	"github.com/callwright/callwright/media/emodel"
)

func TestMOS(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		delay   int // ms
		missing uint64
		r, mos  float64
	}{
		{"no fault at all", 0, 0, 93.2, 4.41}, // the default of G.107
		{"a local call", 60, 0, 91.8, 4.38},
		{"across a continent", 150, 0, 89.6, 4.33},
		{"where delay begins to be noticed", 177, 0, 88.95, 4.32},
		{"a satellite", 400, 0, 59.1, 3.05},
		{"1 % lost", 60, 10, 88.1, 4.30},
		{"5 % lost", 60, 50, 76.0, 3.86},
		{"20 % lost", 60, 200, 49.6, 2.56},
		{"half of it lost, far away", 300, 500, 9.3, 1.03},
		{"nothing came", 60, 1000, 15.8, 1.14},
		{"nothing came, from the moon", 2600, 1000, 0, 1},
	} {
		c := emodel.Call{Delay: time.Duration(tc.delay) * time.Millisecond, Expected: 1000, Missing: tc.missing}
		if r := c.Rating(); math.Abs(r-tc.r) > 0.05 {
			t.Errorf("%s: R %.2f, want %.2f", tc.name, r, tc.r)
		}
		if mos := c.MOS(); math.Abs(mos-tc.mos) > 0.01 {
			t.Errorf("%s: MOS %.3f, want %.2f", tc.name, mos, tc.mos)
		}
	}
	if r := (emodel.Call{Missing: 5}).Rating(); r != 93.2 {
		t.Errorf("nothing was expected: R %v", r)
	}
}
