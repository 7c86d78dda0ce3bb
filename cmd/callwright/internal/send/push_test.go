// SPDX-License-Identifier: MIT

package send

import (
	"testing"

	"github.com/callwright/callwright/directory"
)

// Each cause goes back to the word that it was given by.
func TestCauses(t *testing.T) {
	t.Parallel()
	for word := range causes {
		if got := Cause(word).Words().Sipgate; got != word {
			t.Errorf("--cause %s sends cause=%s", word, got)
		}
	}
}

func TestParty(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]directory.Address{
		"anonymous":     directory.Anonymous(),
		"0049 211 1234": {Kind: directory.KindNumber, Value: "+492111234"},
		"100":           {Kind: directory.KindNumber, Value: "100"},
		"sip:w0@h":      {Kind: directory.KindSIP, Value: "sip:w0@h"},
	} {
		if got, err := Party(text); err != nil || got != want {
			t.Errorf("%q is %+v (%v), want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "bob", "+", "tel:1"} {
		if got, err := Party(text); err == nil {
			t.Errorf("%q is %+v, want an error", text, got)
		}
	}
}

// What an app answers cannot leave the quotes of a command that people copy.
func TestQuote(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"http://h:3000/a_b-c.d?": "'http://h:3000/a_b-c.d?'",
		"http://h:3000/a":        "http://h:3000/a",
		"":                       "''",
		"it's; rm -rf":           `'it'\''s; rm -rf'`,
		"$(x)`y`\"":              "'$(x)`y`\"'",
		"a\x1b[2Jb":              "'a\ufffd[2Jb'",
	} {
		if got := quote(word); got != want {
			t.Errorf("%q is quoted as %s, want %s", word, got, want)
		}
	}
}
