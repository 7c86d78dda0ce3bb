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
	return string(runes) + "\n" + strings.Repeat(" ", cells(runes[:min(column, len(runes))])) + "^"
}

// doubled are the characters that take two cells of a terminal, the most common
// of those that Unicode (Standard Annex 11) calls wide.
var doubled = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x1100, Hi: 0x115F, Stride: 1}, {Lo: 0x2E80, Hi: 0x303E, Stride: 1}, {Lo: 0x3041, Hi: 0xA4CF, Stride: 1},
		{Lo: 0xAC00, Hi: 0xD7A3, Stride: 1}, {Lo: 0xF900, Hi: 0xFAFF, Stride: 1}, {Lo: 0xFE30, Hi: 0xFE6F, Stride: 1},
		{Lo: 0xFF01, Hi: 0xFF60, Stride: 1}, {Lo: 0xFFE0, Hi: 0xFFE6, Stride: 1},
	},
	R32: []unicode.Range32{{Lo: 0x1F300, Hi: 0x1F64F, Stride: 1}, {Lo: 0x1F680, Hi: 0x1F6FF, Stride: 1}, {Lo: 0x1F900, Hi: 0x1F9FF, Stride: 1}, {Lo: 0x20000, Hi: 0x3FFFD, Stride: 1}},
}

// cells is how much of a terminal's line characters take: wide ones two cells,
// accents that are put upon the one before none.
func cells(runes []rune) (n int) {
	for _, r := range runes {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me):
		case unicode.Is(doubled, r):
			n += 2
		default:
			n++
		}
	}
	return n
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
