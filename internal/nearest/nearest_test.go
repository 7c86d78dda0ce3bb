// SPDX-License-Identifier: MIT

package nearest_test

import (
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/nearest"
)

func TestOf(t *testing.T) {
	t.Parallel()
	known := []string{"listen", "public_url", "maxDigits", "timeout", "Dial", "Play", "Gather", "Hangup"}
	for word, want := range map[string]string{
		"listn": "listen", "Listen": "listen", "maxDigit": "maxDigits", "tiemout": "timeout",
		"publicurl": "public_url", "voicemail": "", "": "", "x": "",
		"Dail": "Dial", "dial": "Dial", "Dialog": "", "Gahter": "Gather", "HangUpp": "Hangup", "Hang": "Hangup",
		strings.Repeat("x", 1000): "",
	} {
		if got := nearest.Of(word, known); got != want {
			t.Errorf("Of(%q) = %q, want %q", word, got, want)
		}
	}
}
