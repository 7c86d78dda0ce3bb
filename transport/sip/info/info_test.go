// SPDX-License-Identifier: MIT

package info

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind, body string
		key        byte
		duration   time.Duration
		says       string // of the error
	}{
		{Relay, "Signal=5\r\nDuration=160\r\n", '5', 160 * time.Millisecond, ""},
		{Relay, "Signal= *\r\nDuration= 160", '*', 160 * time.Millisecond, ""},
		{Relay, " DURATION = 3000 \n SIGNAL = 11 \n", '#', 3 * time.Second, ""},
		{Relay, "signal=10", '*', 0, ""},
		{Relay, "Signal=12\rDuration=x", 'A', 0, ""},
		{Relay, "Signal=d\r\nDuration=-5", 'D', 0, ""},
		{Relay, "Signal=0\r\nDuration=4000000000", '0', time.Minute, ""},
		{Relay, "Signal=7\r\nVolume=10\r\nrubbish", '7', 0, ""},
		{"Application/DTMF-Relay; charset=utf-8", "Signal=1", '1', 0, ""},
		{Plain, "5", '5', 0, ""},
		{Plain, " #\r\n", '#', 0, ""},
		{Plain, "10", '*', 0, ""},
		{Plain, "15", 'D', 0, ""},
		{Plain, "Signal=9\r\nDuration=100", '9', 100 * time.Millisecond, ""},
		{Plain, "", 0, 0, `"" is no key`},
		{Plain, "17", 0, 0, `"17" is no key`},
		{Plain, "123", 0, 0, `"123" is no key`},
		{Plain, "+1", 0, 0, `"+1" is no key`},
		{Plain, "16", 0, 0, ErrFlash.Error()},
		{Relay, "Signal=!", 0, 0, ErrFlash.Error()},
		{Relay, "Duration=160", 0, 0, `"" is no key`},
		{Relay, "Signal=hook", 0, 0, `"hook" is no key`},
		{"text/plain", "5", 0, 0, `"text/plain" is not application/dtmf-relay nor application/dtmf`},
		{"", "5", 0, 0, `"" is not`},
	} {
		got, err := Parse(tc.kind, []byte(tc.body))
		if (err != nil) != (tc.says != "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s %q: error %v, want %q", tc.kind, tc.body, err, tc.says)
		}
		if want := (Press{tc.key, tc.duration}); got != want {
			t.Errorf("%s %q: %+v, want %+v", tc.kind, tc.body, got, want)
		}
	}
	if _, err := Parse("text/plain", nil); !errors.Is(err, ErrType) {
		t.Errorf("another type: %v", err)
	}
}

// Whatever comes, what is read is a key and is read the same when we write it.
func FuzzParse(f *testing.F) {
	for _, seed := range [][2]string{
		{Relay, "Signal=5\r\nDuration=160\r\n"}, {Relay, "Signal= *"}, {Relay, "=\n=\r==Signal"},
		{Plain, "12"}, {Plain, "#"}, {Plain, "a=b"}, {"Application/DTMF ;", "!"}, {"", ""},
	} {
		f.Add(seed[0], []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		press, err := Parse(contentType, body)
		if err != nil {
			if press != (Press{}) {
				t.Errorf("%q, %q: %+v beside %v", contentType, body, press, err)
			}
			return
		}
		if !strings.ContainsRune("0123456789*#ABCD", rune(press.Key)) || press.Duration < 0 || press.Duration > longest {
			t.Errorf("%q, %q became %+v", contentType, body, press)
		}
		for _, form := range []string{Relay, Plain} {
			again, err := Parse(form, press.Body(form))
			if form == Plain {
				again.Duration = press.Duration
			}
			if err != nil || again != press {
				t.Errorf("%+v by %s came back as %+v, %v", press, form, again, err)
			}
		}
	})
}
