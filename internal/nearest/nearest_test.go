// SPDX-License-Identifier: MIT

package nearest_test

import (
	"testing"

	"github.com/callwright/callwright/internal/nearest"
)

func TestOf(t *testing.T) {
	t.Parallel()
	known := []string{"listen", "public_url", "maxDigits", "timeout"}
	for word, want := range map[string]string{
		"listn": "listen", "Listen": "listen", "maxDigit": "maxDigits", "tiemout": "timeout",
		"publicurl": "public_url", "voicemail": "", "": "", "x": "",
	} {
		if got := nearest.Of(word, known); got != want {
			t.Errorf("Of(%q) = %q, want %q", word, got, want)
		}
	}
}
