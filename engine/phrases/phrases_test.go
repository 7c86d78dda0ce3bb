// SPDX-License-Identifier: MIT

package phrases

import "testing"

// Each language has each sentence.
func TestNoneIsMissing(t *testing.T) {
	t.Parallel()
	for language, p := range known() {
		if p.Recorded == "" || p.Message == "" {
			t.Errorf("%s: %+v", language, p)
		}
		if got, spoken := In(language); got != p || spoken != language {
			t.Errorf("In(%q) gives %+v in %q", language, got, spoken)
		}
	}
}

// A language goes by the first part of its tag; one that is not known is English.
func TestIn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ language, of, spoken string }{
		{"de-AT", "de", "de-AT"}, {"DE", "de", "DE"}, {"en-GB", "en", "en-GB"},
		{"tlh", "en", "en-US"}, {"", "en", "en-US"},
	} {
		got, spoken := In(tt.language)
		if want := known()[tt.of]; got != want || spoken != tt.spoken {
			t.Errorf("In(%q) gives %+v in %q, want %+v in %q", tt.language, got, spoken, want, tt.spoken)
		}
	}
}
