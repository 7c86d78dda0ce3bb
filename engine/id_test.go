// SPDX-License-Identifier: MIT

package engine_test

import (
	"strings"
	"testing"

	"github.com/callwright/callwright/engine"
)

func TestID(t *testing.T) {
	t.Parallel()
	a, b := engine.NewID(), engine.NewID()
	if a == b || a.IsZero() {
		t.Fatalf("ids %s and %s", a, b)
	}
	if s := a.String(); s[14] != '7' || !strings.ContainsAny(s[19:20], "89ab") {
		t.Errorf("%s is no UUID of version 7", s)
	}
	for _, form := range []string{a.String(), a.Hex(), strings.ToUpper(a.Hex())} {
		if got, err := engine.ParseID(form); err != nil || got != a {
			t.Errorf("ParseID(%q) = %s, %v", form, got, err)
		}
	}
	for _, bad := range []string{"", "12", strings.Repeat("x", 32)} {
		if _, err := engine.ParseID(bad); err == nil {
			t.Errorf("ParseID(%q) has no error", bad)
		}
	}
	var c engine.ID
	text, _ := a.MarshalText()
	if err := c.UnmarshalText(text); err != nil || c != a {
		t.Errorf("text of %s is read as %s, %v", a, c, err)
	}
	if text, _ := (engine.ID{}).MarshalText(); len(text) != 0 {
		t.Errorf("the zero id is written as %q", text)
	}
}
