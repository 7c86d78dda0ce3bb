// SPDX-License-Identifier: MIT

package postgres

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`"plain"`:                `"plain"`,
		`"a\u0000b"`:             `"a\ufffdb"`,
		`"a\\u0000b"`:            `"a\\u0000b"`,
		`"a\\\u0000\n\u00e9"`:    `"a\\\ufffd\n\u00e9"`,
		`"\ud83d\ude00"`:         `"\ud83d\ude00"`,
		`"\ud83d"`:               `"\ufffd"`,
		`"\ude00\ud83d"`:         `"\ufffd\ufffd"`,
		`"\ud83d\ud83d\ude00 x"`: `"\ufffd\ud83d\ude00 x"`,
		`"\ud83d\u0000"`:         `"\ufffd\ufffd"`,
		"\"\xff\"":               `"\ufffd"`,
		`["\"", "\\"]`:           `["\"", "\\"]`,
	} {
		if got := string(clean([]byte(text))); got != want {
			t.Errorf("%s becomes %s, want %s", text, got, want)
		}
	}
}

// FuzzClean: JSON stays JSON, means the same but for what was replaced, and is
// not cleaned twice.
func FuzzClean(f *testing.F) {
	for _, seed := range []string{`"a\u0000b"`, `{"\\u0000":"\ud83d\ude00\ud83d"}`, "[\"\xff\\\\\"]", `1e400`, `"\u12`, `\`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		cleaned := clean(text)
		if again := clean(cleaned); string(again) != string(cleaned) {
			t.Errorf("%q becomes %q and then %q", text, cleaned, again)
		}
		var before, after any
		if json.Unmarshal(text, &before) != nil {
			return
		}
		if err := json.Unmarshal(cleaned, &after); err != nil {
			t.Fatalf("%q becomes %q, which is no JSON: %v", text, cleaned, err)
		}
		// Two keys may become the same, and bytes in a row that are no UTF-8 one
		// character.
		if said, ok := before.(string); ok && utf8.Valid(text) && strings.ReplaceAll(said, "\x00", "\ufffd") != after {
			t.Errorf("%q means %q, and cleaned %q", text, said, after)
		}
	})
}
