// SPDX-License-Identifier: MIT

package postgres

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf16"
)

// parameter writes rows as the JSON that a statement takes.
func parameter[T any](rows []T) (string, error) {
	text, err := json.Marshal(rows)
	if err != nil {
		return "", err
	}
	return string(clean(text)), nil
}

const (
	escaped     = len(`\u0000`)
	replacement = `\ufffd`
)

// clean replaces what a string of JSON may have in it and PostgreSQL cannot
// hold: the character 0, halves of surrogate pairs, bytes that are no UTF-8.
func clean(text []byte) []byte {
	text = bytes.ToValidUTF8(text, []byte(replacement))
	next := bytes.IndexByte(text, '\\')
	if next < 0 {
		return text
	}
	cleaned := make([]byte, 0, len(text))
	for ; next >= 0; next = bytes.IndexByte(text, '\\') {
		cleaned, text = append(cleaned, text[:next]...), text[next:]
		take, put := escape(text)
		cleaned, text = append(cleaned, put...), text[take:]
	}
	return append(cleaned, text...)
}

// escape looks at the escape that a text begins with: how many bytes it has, and
// what is put in its place.
func escape(text []byte) (take int, put []byte) {
	first, ok := codeUnit(text)
	switch {
	case !ok:
		take = min(2, len(text)) // \n, \", \\
	case first == 0:
		return escaped, []byte(replacement)
	case !utf16.IsSurrogate(first):
		take = escaped
	default:
		second, ok := codeUnit(text[escaped:])
		if !ok || utf16.DecodeRune(first, second) == '\ufffd' {
			return escaped, []byte(replacement)
		}
		take = 2 * escaped
	}
	return take, text[:take]
}

// codeUnit reads the \uXXXX that a text begins with.
func codeUnit(text []byte) (rune, bool) {
	if len(text) < escaped || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(text[2:escaped]), 16, 16)
	return rune(unit), err == nil
}
