// SPDX-License-Identifier: MIT

package webhook

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/media"
)

func TestKeepingOf(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	tests := []struct {
		header string // lines
		want   keeping
	}{
		{"", keeping{fresh: freshUntold, stale: staleMost}},
		{"Cache-Control: public", keeping{fresh: freshUntold, stale: staleMost}},
		{"Cache-Control: max-age=60", keeping{fresh: time.Minute, stale: staleMost}},
		{"Cache-Control: Public, Max-Age=60", keeping{fresh: time.Minute, stale: staleMost}},
		{`Cache-Control: max-age="60"`, keeping{fresh: time.Minute, stale: staleMost}},
		{"Cache-Control: max-age=60, max-age=5", keeping{fresh: time.Minute, stale: staleMost}},
		{"Cache-Control: max-age=60\nAge: 45", keeping{fresh: 15 * time.Second, stale: staleMost}},
		{"Cache-Control: max-age=60\nAge: 61", keeping{stale: staleMost}},
		{"Cache-Control: max-age=0", keeping{stale: staleMost}},
		{"Cache-Control: max-age=-1", keeping{stale: staleMost}},
		{"Cache-Control: max-age=soon", keeping{stale: staleMost}},
		{"Cache-Control: max-age=31536000", keeping{fresh: freshMost, stale: staleMost}},
		{"Cache-Control: max-age=31536000\nAge: 172800", keeping{fresh: freshMost, stale: staleMost}},
		{"Cache-Control: max-age=99999999999999999999", keeping{fresh: freshMost, stale: staleMost}},
		{"Cache-Control: max-age=60, s-maxage=30", keeping{fresh: 30 * time.Second}},
		{"Cache-Control: s-maxage=30, max-age=60", keeping{fresh: 30 * time.Second}},
		{"Cache-Control: max-age=60, must-revalidate", keeping{fresh: time.Minute}},
		{"Cache-Control: max-age=60, proxy-revalidate", keeping{fresh: time.Minute}},
		{"Cache-Control: max-age=60, stale-if-error=30", keeping{fresh: time.Minute, stale: 30 * time.Second}},
		{"Cache-Control: max-age=60, stale-if-error=9999999", keeping{fresh: time.Minute, stale: staleMost}},
		{"Cache-Control: max-age=60\nCache-Control: no-store", keeping{forbidden: true}},
		{"Cache-Control: private, max-age=60", keeping{forbidden: true}},
		{"Cache-Control: max-age=60\nVary: *", keeping{forbidden: true}},
		{"Cache-Control: max-age=60\nVary: Accept\nVary: Origin, *", keeping{forbidden: true}},
		{"Cache-Control: max-age=60\nVary: Accept, Origin", keeping{fresh: time.Minute, stale: staleMost}},
		{"Cache-Control: no-cache, max-age=60", keeping{}},
		{`Cache-Control: no-cache="set-cookie"`, keeping{}},
		{"Expires: " + at(5*time.Minute), keeping{fresh: 5 * time.Minute, stale: staleMost}},
		{"Expires: " + at(5*time.Minute) + "\nDate: " + at(4*time.Minute), keeping{fresh: time.Minute, stale: staleMost}},
		{"Expires: " + at(5*time.Minute) + "\nCache-Control: max-age=7", keeping{fresh: 7 * time.Second, stale: staleMost}},
		{"Expires: 0", keeping{stale: staleMost}},
		{"Expires: " + at(-time.Hour), keeping{stale: staleMost}},
		{"Last-Modified: " + at(-100*time.Second), keeping{fresh: 10 * time.Second, stale: staleMost}},
		{"Last-Modified: " + at(-100*time.Second) + "\nAge: 4", keeping{fresh: 6 * time.Second, stale: staleMost}},
		{"Last-Modified: " + at(-100*24*time.Hour), keeping{fresh: freshGuessed, stale: staleMost}},
		{"Last-Modified: " + at(time.Hour), keeping{stale: staleMost}},
		{"Last-Modified: long ago", keeping{fresh: freshUntold, stale: staleMost}},
	}
	for _, tt := range tests {
		header := http.Header{}
		for line := range strings.Lines(tt.header) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			header.Add(name, value)
		}
		if got := keepingOf(header, now); got != tt.want {
			t.Errorf("%s:\n%+v, want %+v", tt.header, got, tt.want)
		}
	}
}

// FuzzKeepingOf reads any headers: what comes out lies within the limits.
func FuzzKeepingOf(f *testing.F) {
	f.Add("max-age=60, must-revalidate", "Thu, 01 Dec 1994 16:00:00 GMT", "1")
	f.Add("s-maxage=99999999999999999999,,=,", "0", "-")
	f.Fuzz(func(t *testing.T, control, expires, age string) {
		header := http.Header{"Cache-Control": {control}, "Expires": {expires}, "Last-Modified": {expires}, "Age": {age}}
		k := keepingOf(header, time.Now())
		if k.fresh < 0 || k.fresh > freshMost || k.stale < 0 || k.stale > staleMost {
			t.Errorf("%+v", k)
		}
	})
}

func TestRenewed(t *testing.T) {
	t.Parallel()
	old := http.Header{"Etag": {"1"}, "Cache-Control": {"max-age=60"}, "Age": {"50"}, "Date": {"then"}, "Last-Modified": {"monday"}}
	got := renewed(old, http.Header{"Date": {"now"}, "Cache-Control": {"max-age=10"}, "Set-Cookie": {"a=b"}})
	want := http.Header{"Etag": {"1"}, "Cache-Control": {"max-age=10"}, "Date": {"now"}, "Last-Modified": {"monday"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCache(t *testing.T) {
	t.Parallel()
	prompt := func(n int) *media.Prompt { return &media.Prompt{ULaw: make([]byte, n), ALaw: make([]byte, n)} }
	const limit = 12_000
	c := newCache(limit)
	put := func(url string, n int) *entry {
		e := &entry{url: url, prompt: prompt(n)}
		c.put(e)
		return e
	}
	a, b := put("a", 2000), put("b", 2000)
	if c.get("a") != a || c.get("b") != b || c.get("c") != nil {
		t.Error("what was put is not what is got")
	}
	c.forget("a")
	c.forget("a")
	if c.get("a") != nil || c.get("b") != b {
		t.Error("what was to be forgotten was kept")
	}
	put("a", 2000)
	c.get("b")
	put("d", 1000)
	if c.get("a") != nil || c.get("b") != b || c.get("d") == nil {
		t.Error("not the one that was used longest ago went")
	}
	put("e", 6000)
	if c.get("e") != nil || c.get("b") != b {
		t.Error("a prompt larger than the cache was kept, or drove others out")
	}
	if newer := put("b", 1); c.get("b") != newer {
		t.Error("a prompt was not replaced")
	}
	c.put(&entry{url: "f", prompt: prompt(1), header: http.Header{"Etag": {strings.Repeat("x", limit)}}})
	if c.get("f") != nil {
		t.Error("headers were kept, and not counted")
	}
	left := 0
	for i := range 1000 {
		put(fmt.Sprint(i), 0)
	}
	for i := range 1000 {
		if c.get(fmt.Sprint(i)) != nil {
			left++
		}
	}
	if left == 0 || left > limit/1024 {
		t.Errorf("%d prompts without sound were kept in %d bytes", left, limit)
	}
}
