// SPDX-License-Identifier: MIT

package journal

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// written is a segment with a frame for each text.
func written(texts ...string) []byte {
	segment := []byte(opening)
	for i, text := range texts {
		segment = appendFrame(segment, frame{[]byte(text), i + 1})
	}
	return segment
}

// readAll gives the texts of all frames that can be read.
func readAll(segment []byte, at int) (texts []string) {
	for {
		f, _, end, ok := nextFrame(segment, at)
		if !ok {
			return texts
		}
		texts = append(texts, string(f.text))
		at = end
	}
}

func TestLook(t *testing.T) {
	t.Parallel()
	three := written("one", "two", "three")
	first, second, third := len(opening), len(written("one")), len(written("one", "two"))
	flipped := func(at int) []byte {
		s := bytes.Clone(three)
		s[at] ^= 0x40
		return s
	}
	const all = "one two three"
	for name, test := range map[string]struct {
		segment []byte
		want    survey
		texts   string
	}{
		"nothing":                     {nil, survey{torn: 0}, ""},
		"half an opening":             {[]byte(opening[:5]), survey{torn: 0}, ""},
		"no frames":                   {[]byte(opening), survey{begin: first, torn: -1}, ""},
		"three frames":                {three, survey{begin: first, changes: 6, torn: -1}, all},
		"a text that is not whole":    {three[:len(three)-1], survey{begin: first, changes: 3, torn: third}, "one two"},
		"a head that is not whole":    {three[:third+5], survey{begin: first, changes: 3, torn: third}, "one two"},
		"a marker that is not whole":  {three[:third+2], survey{begin: first, changes: 3, torn: third}, "one two"},
		"zeros at the end":            {append(bytes.Clone(three), make([]byte, 100)...), survey{begin: first, changes: 6, torn: len(three)}, all},
		"other bytes at the end":      {append(bytes.Clone(three), "hello"...), survey{begin: first, changes: 6, damage: []int{len(three)}, torn: -1}, all},
		"a wrong byte in a text":      {flipped(second + frameHead), survey{begin: first, changes: 4, damage: []int{second}, torn: -1}, "one three"},
		"a wrong byte in a marker":    {flipped(second), survey{begin: first, changes: 4, damage: []int{second}, torn: -1}, "one three"},
		"a wrong byte in a length":    {flipped(second + 4), survey{begin: first, changes: 4, damage: []int{second}, torn: -1}, "one three"},
		"a wrong byte in a number":    {flipped(second + 8), survey{begin: first, changes: 4, damage: []int{second}, torn: -1}, "one three"},
		"a wrong byte in a checksum":  {flipped(second + 12), survey{begin: first, changes: 4, damage: []int{second}, torn: -1}, "one three"},
		"a wrong byte in the last":    {flipped(len(three) - 1), survey{begin: first, changes: 3, damage: []int{third}, torn: -1}, "one two"},
		"a wrong opening":             {flipped(0), survey{changes: 6, damage: []int{0}, torn: -1}, all},
		"damage, and a torn end":      {flipped(first + frameHead)[:len(three)-1], survey{begin: first, changes: 2, damage: []int{first}, torn: third}, "two"},
		"a file of something else":    {[]byte("Dear Sir or Madam"), survey{damage: []int{0}, torn: -1}, ""},
		"a short file of other sorts": {[]byte("Dear"), survey{damage: []int{0}, torn: -1}, ""},
	} {
		got, err := look(test.segment)
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(survey{})); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
		if texts := strings.Join(readAll(test.segment, got.begin), " "); texts != test.texts {
			t.Errorf("%s: read %q, want %q", name, texts, test.texts)
		}
	}
	newer := written("one")
	newer[len(opening)-1]++
	if _, err := look(newer); !errors.Is(err, errNewer) {
		t.Errorf("a newer version gives %v", err)
	}
}

// FuzzLook reads whatever bytes a disk may give.
func FuzzLook(f *testing.F) {
	whole := written(`[{"registration_ended":{"Account":"a","User":"w0","Contact":"sip:x"}}]`, `[{"event_added":{"seq":1}}]`, "no JSON")
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add(append(bytes.Clone(whole), make([]byte, 32)...))
	f.Add(append([]byte("x"), whole...))
	f.Add([]byte(opening + marker + marker + "\xff\xff\xff\xff"))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, segment []byte) {
		s, err := look(segment)
		if err != nil {
			return
		}
		// Everything is a frame, damaged, or torn, and reading agrees.
		changes, at := 0, s.begin
		for {
			f, start, end, ok := nextFrame(segment, at)
			if !ok {
				break
			}
			if start < at || end <= start || end > len(segment) {
				t.Fatalf("a frame from %d to %d was found behind %d", start, end, at)
			}
			changes += f.changes
			at = end
			if read, err := decode(f.text); err == nil {
				if _, err := encode(read); err != nil {
					t.Fatalf("%s was read and cannot be written: %v", f.text, err)
				}
			}
		}
		if changes != s.changes {
			t.Errorf("%d changes were read, %d surveyed", changes, s.changes)
		}
		if at < len(segment) && len(s.damage) == 0 && s.torn < 0 {
			t.Errorf("what is behind %d of %d goes unsaid", at, len(segment))
		}
		// What is appended behind anything is found again.
		more := appendFrame(bytes.Clone(segment), frame{[]byte("[]"), 1})
		if texts := readAll(more, s.begin); s.torn < 0 && (len(texts) == 0 || texts[len(texts)-1] != "[]") {
			t.Errorf("a frame behind %q is not found", fmt.Sprintf("%.100x", segment))
		}
	})
}

// FuzzDecode reads texts whose checksum is right.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{
		`[{"record_saved":{"id":"0190a1b2-c3d4-7000-8000-000000000001","dialect":{"a":"b"},"settled":true,"started_at":"2026-03-29T01:59:59Z"}}]`,
		`[{"event_added":{"seq":1,"at":"0001-01-01T00:00:00Z","data":{"figures":{"a":[1e400,null]},"party":{}}}}]`,
		`[{"registration_saved":{"cseq":4294967295,"expires":"9999-12-31T23:59:59.999999999+14:00"}},{"registration_ended":{"Contact":"x"}}]`,
		`[]`, `null`, `[{}]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		first, err := decode(text)
		if err != nil {
			return
		}
		written, err := encode(first)
		if err != nil {
			t.Fatalf("%s was read and cannot be written: %v", text, err)
		}
		second, err := decode(written)
		if err != nil {
			t.Fatalf("%s was written and cannot be read: %v", written, err)
		}
		again, err := encode(second)
		if err != nil || !bytes.Equal(written, again) {
			t.Errorf("written as %s, then as %s, %v", written, again, err)
		}
	})
}
