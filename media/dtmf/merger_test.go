// SPDX-License-Identifier: MIT

package dtmf

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"pgregory.net/rapid"
)

// report is one telling of a key, in milliseconds.
type report struct {
	key      byte
	way      media.DigitWay
	from, to int
}

// keysOf gives the keys that a Merger counts.
func keysOf(reports []report) string {
	var m Merger
	zero := time.Unix(1000, 0)
	var keys []byte
	for _, r := range reports {
		if m.Count(r.key, r.way, zero.Add(time.Duration(r.from)*time.Millisecond), zero.Add(time.Duration(r.to)*time.Millisecond)) {
			keys = append(keys, r.key)
		}
	}
	return string(keys)
}

func TestMerger(t *testing.T) {
	t.Parallel()
	const event, tone, info = media.ByEvent, media.ByTone, media.ByInfo
	for _, tc := range []struct {
		name    string
		reports []report
		want    string
	}{
		{"one way", []report{{'5', event, 0, 0}}, "5"},
		{"two ways", []report{{'5', event, 0, 0}, {'5', info, 30, 30}}, "5"},
		{"three ways, the sound last", []report{{'5', info, 0, 0}, {'5', event, 10, 10}, {'5', tone, 80, 80}}, "5"},
		{"twice quickly", []report{{'5', event, 0, 0}, {'5', info, 20, 20}, {'5', event, 200, 200}, {'5', info, 220, 220}}, "55"},
		{"twice quickly, the second way behind", []report{{'5', event, 0, 0}, {'5', event, 200, 200}, {'5', info, 500, 500}, {'5', info, 520, 520}}, "55"},
		{"again in one way only", []report{{'5', event, 0, 0}, {'5', info, 20, 20}, {'5', event, 200, 200}}, "55"},
		{"again in the other way only", []report{{'5', event, 0, 0}, {'5', info, 20, 20}, {'5', info, 200, 200}}, "55"},
		{"first in one way only", []report{{'5', event, 0, 0}, {'5', event, 200, 200}, {'5', info, 220, 220}, {'5', event, 400, 400}, {'5', info, 420, 420}}, "555"},
		{"other keys between", []report{{'1', event, 0, 0}, {'2', event, 100, 100}, {'1', info, 150, 150}, {'2', info, 151, 151}}, "12"},
		{"at the edge of the window", []report{{'5', event, 0, 0}, {'5', info, 2000, 2000}}, "5"},
		{"behind the window", []report{{'5', event, 0, 0}, {'5', info, 2001, 2001}}, "55"},
		{"3 s long, told at its end with its duration", []report{{'5', event, 0, 0}, {'5', info, 0, 3000}}, "5"},
		{"3 s long, the end comes first", []report{{'5', info, 0, 3000}, {'5', event, 20, 20}}, "5"},
		{"3 s long twice", []report{{'5', event, 0, 0}, {'5', info, 10, 3010}, {'5', event, 3200, 3200}, {'5', info, 3210, 6210}}, "55"},
		{"3 s long, the duration is made up", []report{{'5', event, 0, 0}, {'5', info, -160, 0}}, "5"},
		{"3 s long, the tone is found late", []report{{'5', info, 0, 3000}, {'5', tone, 80, 80}}, "5"},
	} {
		if got := keysOf(tc.reports); got != tc.want {
			t.Errorf("%s: counted %q, want %q", tc.name, got, tc.want)
		}
	}
}

// A Merger forgets what is long ago.
func TestMergerForgets(t *testing.T) {
	t.Parallel()
	var m Merger
	at := time.Unix(1000, 0)
	for range 10 * mergerMemory {
		if at = at.Add(100 * time.Millisecond); !m.Count('5', media.ByEvent, at, at) {
			t.Fatal("a press is missing")
		}
	}
	if len(m.presses) != mergerMemory || cap(m.presses) > 2*mergerMemory {
		t.Errorf("%d presses are remembered, room for %d", len(m.presses), cap(m.presses))
	}
}

// Whatever the ways in which each key of a sequence is told, and however late
// each telling is, up to the window: every key counts once. Each way tells in
// order, and one of them all presses of a key that follow each other closely.
func TestMergerCountsAnySequence(t *testing.T) {
	t.Parallel()
	ways := []media.DigitWay{media.ByEvent, media.ByTone, media.ByInfo}
	window := int(Window / time.Millisecond)
	rapid.Check(t, func(t *rapid.T) {
		typed := rapid.SliceOfN(rapid.SampledFrom([]byte("125")), 1, 25).Draw(t, "keys")
		leader := map[byte]media.DigitWay{} // the way that tells of all presses of a key
		last := map[byte]int{}              // when a key was pressed last
		late := map[media.DigitWay]int{}    // when a way told last: it tells in order
		var reports []report
		at := 0
		for _, key := range typed {
			at += rapid.IntRange(60, 3*window).Draw(t, "pause")
			if _, before := last[key]; !before || at-last[key] > 3*window {
				leader[key] = rapid.SampledFrom(ways).Draw(t, "leader")
			}
			last[key] = at
			for _, way := range ways {
				if way != leader[key] && !rapid.Bool().Draw(t, "told") {
					continue
				}
				when := max(at+rapid.IntRange(0, window).Draw(t, "delay"), late[way])
				late[way] = when
				long := rapid.IntRange(0, 1).Draw(t, "long") * (when - at)
				reports = append(reports, report{key, way, when - long, when})
			}
		}
		slices.SortStableFunc(reports, func(a, b report) int { return cmp.Compare(a.to, b.to) })
		for _, key := range []byte("125") {
			only := slices.DeleteFunc(slices.Clone(reports), func(r report) bool { return r.key != key })
			want := slices.DeleteFunc(slices.Clone(typed), func(k byte) bool { return k != key })
			if got := keysOf(only); got != string(want) {
				t.Fatalf("typed %q, told %+v: counted %q", want, only, got)
			}
		}
		if got := keysOf(reports); len(got) != len(typed) {
			t.Fatalf("typed %q, told %+v: counted %q", typed, reports, got)
		}
	})
}
