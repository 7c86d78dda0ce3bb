// SPDX-License-Identifier: MIT

package webhook

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
)

func TestFreshFor(t *testing.T) {
	t.Parallel()
	tests := []struct {
		control []string
		age     string
		want    time.Duration
	}{
		{nil, "", freshUntold},
		{[]string{"public"}, "", freshUntold},
		{[]string{"max-age=60"}, "", time.Minute},
		{[]string{"Public, Max-Age=60"}, "", time.Minute},
		{[]string{`max-age="60"`}, "", time.Minute},
		{[]string{"max-age=60"}, "45", 15 * time.Second},
		{[]string{"max-age=60"}, "61", 0},
		{[]string{"max-age=0"}, "", 0},
		{[]string{"max-age=-1"}, "", 0},
		{[]string{"max-age=soon"}, "", 0},
		{[]string{"max-age=31536000"}, "", freshMost},
		{[]string{"max-age=31536000"}, "172800", freshMost},
		{[]string{"max-age=9999999999999"}, "", freshMost},
		{[]string{"max-age=60, s-maxage=30"}, "", 30 * time.Second},
		{[]string{"s-maxage=30, max-age=60"}, "", 30 * time.Second},
		{[]string{"max-age=60", "no-store"}, "", 0},
		{[]string{"no-cache"}, "", 0},
		{[]string{"private, max-age=60"}, "", 0},
		{[]string{`no-cache="set-cookie"`}, "", 0},
	}
	for _, tt := range tests {
		header := http.Header{"Cache-Control": tt.control}
		if tt.age != "" {
			header.Set("Age", tt.age)
		}
		if got := freshFor(header); got != tt.want {
			t.Errorf("Cache-Control %q, Age %q: %s, want %s", tt.control, tt.age, got, tt.want)
		}
	}
}

func TestCache(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	later := now.Add(time.Minute)
	prompt := func(n int) *media.Prompt { return &media.Prompt{ULaw: make([]byte, n), ALaw: make([]byte, n)} }
	c := newCache(10_000)

	a, b := prompt(2000), prompt(2000)
	c.put("a", a, later)
	c.put("b", b, later)
	if c.get("a", now) != a || c.get("b", now) != b || c.get("c", now) != nil {
		t.Error("what was put is not what is got")
	}
	if c.get("a", later) != nil || len(c.entries) != 1 {
		t.Error("a stale prompt was given or kept")
	}
	c.put("a", a, later)
	c.get("b", now)
	c.put("d", prompt(1000), later)
	if c.get("a", now) != nil || c.get("b", now) != b || c.get("d", now) == nil {
		t.Error("not the one that was used longest ago went")
	}
	c.put("e", prompt(5000), later)
	if c.get("e", now) != nil || c.get("b", now) != b {
		t.Error("a prompt larger than the cache was kept, or drove others out")
	}
	newer := prompt(1)
	c.put("b", newer, later)
	if c.get("b", now) != newer {
		t.Error("a prompt was not replaced")
	}
	for i := range 1000 {
		c.put(fmt.Sprint(i), prompt(0), later)
	}
	if c.size > c.limit || len(c.entries) > 20 || c.used.Len() != len(c.entries) {
		t.Errorf("%d bytes of %d in %d entries", c.size, c.limit, len(c.entries))
	}
}
