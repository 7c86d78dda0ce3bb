// SPDX-License-Identifier: MIT

package excerpt

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// width is how many characters of a line are shown.
	width = 96
	// before is how many of them stand before the place in a long line.
	before = 40
	// cut stands for what is not shown.
	cut = '…'
)

// Of gives the line of a text, without its indentation, and beneath it a caret
// at the column; both count from 1, in characters. It is empty when the text
// has no such place. Long lines are cut on either side.
func Of(text string, line, column int) string {
	shown, ok := nth(text, line)
	length := utf8.RuneCountInString(shown)
	if !ok || column < 1 || column > length+1 || strings.TrimSpace(shown) == "" {
		return ""
	}
	runes := []rune(Plain(shown))
	indent := min(length-len([]rune(strings.TrimLeft(shown, " \t"))), column-1)
	runes, column = runes[indent:], column-1-indent
	if len(runes) > width {
		runes, column = window(runes, column)
	}
	return string(runes) + "\n" + strings.Repeat(" ", column) + "^"
}

// window gives a part of a long line around a column, which counts from 0 here.
func window(runes []rune, column int) ([]rune, int) {
	from := min(max(column-before, 0), len(runes)-width)
	part := append([]rune(nil), runes[from:from+width]...)
	if from > 0 {
		part[0] = cut
	}
	if from+width < len(runes) {
		part[width-1] = cut
	}
	return part, column - from
}

// nth gives a line of a text.
func nth(text string, line int) (string, bool) {
	for l := range strings.Lines(text) {
		if line--; line == 0 {
			return strings.TrimRight(l, "\r\n"), true
		}
	}
	return "", false
}

// Plain gives a text without what a terminal would take for a command: a tab
// becomes a space, and any other character that does not show a question mark
// of its own. Line breaks stay.
func Plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == '\n' || unicode.IsGraphic(r):
			return r
		}
		return utf8.RuneError
	}, text)
}
