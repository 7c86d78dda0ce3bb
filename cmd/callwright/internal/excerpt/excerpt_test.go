// SPDX-License-Identifier: MIT

package excerpt_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/cmd/callwright/internal/excerpt"
)

func TestOf(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("abcdefghij", 30)
	tests := map[string]struct {
		text         string
		line, column int
		want         string
	}{
		"beginning":               {"<a>\n<b>\n", 2, 1, "<b>\n^"},
		"indentation is left out": {"<a>\n\t  <b c=\"\">\n", 2, 4, "<b c=\"\">\n^"},
		"within the indentation":  {"   <b>", 1, 2, "  <b>\n^"},
		"characters, not bytes":   {"<ä ö=\"ü\">x", 1, 10, "<ä ö=\"ü\">x\n         ^"},
		"tabs inside":             {"<a>\t<b>", 1, 5, "<a> <b>\n    ^"},
		"wide characters":         {"漢字😀<b>", 1, 4, "漢字😀<b>\n      ^"},
		"accents on letters":      {"e\u0301<b>", 1, 3, "e\u0301<b>\n ^"},
		"behind the end":          {"<a>", 1, 4, "<a>\n   ^"},
		"carriage return":         {"<a>\r\n<b>\r\n", 1, 4, "<a>\n   ^"},
		"terminal commands":       {"<a>\x1b[2J\u202e", 1, 4, "<a>\ufffd[2J\ufffd\n   ^"},
		"long, at the beginning":  {long, 1, 1, long[:95] + "…\n^"},
		"long, in the middle":     {long, 1, 151, "…" + long[111:205] + "…\n" + strings.Repeat(" ", 40) + "^"},
		"long, at the end":        {long, 1, 301, "…" + long[205:] + "\n" + strings.Repeat(" ", 96) + "^"},
		"no such line":            {"<a>", 2, 1, ""},
		"line not known":          {"<a>", 0, 0, ""},
		"no such column":          {"<a>", 1, 5, ""},
		"an empty line":           {"<a>\n\n", 2, 1, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, excerpt.Of(tc.text, tc.line, tc.column)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzOf(f *testing.F) {
	f.Add("<a>\n\t<b>\xff\x1b", 2, 3)
	f.Add(strings.Repeat("ä", 400), 1, 399)
	f.Add("漢e\u0301<b>", 1, 4)
	f.Fuzz(func(t *testing.T, text string, line, column int) {
		got := excerpt.Of(text, line, column)
		if got == "" {
			return
		}
		shown, caret, found := strings.Cut(got, "\n")
		if !found || strings.Trim(caret, " ") != "^" {
			t.Fatalf("Of(%q, %d, %d) = %q, want a line and a caret", text, line, column, got)
		}
		if n := utf8.RuneCountInString(shown); n > 96 || len(caret) > 2*n+1 {
			t.Errorf("Of(%q, %d, %d) = %q: too long, or the caret is behind it", text, line, column, got)
		}
	})
}
