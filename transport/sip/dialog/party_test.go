// SPDX-License-Identifier: MIT

package dialog

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseParties(t *testing.T) {
	t.Parallel()
	for value, want := range map[string][]Party{
		`"a,b" <sip:x@h>,sip:c@h;tag=1`:           {{"a,b", "sip:x@h"}, {"", "sip:c@h"}},
		`Alice <sip:a@h;x="y,z">;p=1, <tel:+49>`:  {{"Alice", `sip:a@h;x="y,z"`}, {"", "tel:+49"}},
		`"A \"B\" \\C" <sip:a@h>`:                 {{`A "B" \C`, "sip:a@h"}},
		"\"A\x85\xff\tB\" <sip:a@h>":              {{"AB", "sip:a@h"}},
		`"open <sip:a@h>`:                         {{"", `"open <sip:a@h>`}},
		`"A < B" <sip:a@h;maddr=1.2.3.4?X=1>;q=1`: {{"A < B", "sip:a@h;maddr=1.2.3.4?X=1"}},
		" , ": nil,
	} {
		if diff := cmp.Diff(want, ParseParties([]string{value})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", value, diff)
		}
	}
}

func TestUserPart(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]string{
		"sip:+4930123@h":                       "+4930123",
		"sip:+4930;phone-context=%2B49@h:5060": "+4930",
		"sips:a%40b@[::1];transport=tls":       "a@b",
		"tel:+4930123;ext=1":                   "+4930123",
		"sip:h":                                "",
		"*":                                    "",
		"":                                     "",
	} {
		if got := UserPart(uri); got != want {
			t.Errorf("user of %q is %q, want %q", uri, got, want)
		}
	}
	for _, user := range []string{"+4930", "a b", "ä@\"<", "100%", "\r\n"} {
		if got := UserPart("sip:" + EscapeUser(user) + "@h"); got != user {
			t.Errorf("%q escaped and read again is %q", user, got)
		}
	}
}
