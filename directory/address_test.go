// SPDX-License-Identifier: MIT

package directory_test

import (
	"testing"

	"github.com/callwright/callwright/directory"
)

func TestNormalizeNumber(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"+4921112345": "+4921112345", "4921112345": "+4921112345", "004921112345": "+4921112345",
		"+49 (211) 123-45": "+4921112345", "100": "100", "1234567": "1234567", "0211123456": "0211123456",
		"alice": "alice", "": "",
	} {
		if got := directory.NormalizeNumber(in); got != want {
			t.Errorf("NormalizeNumber(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]bool{"+49 211": true, "100": true, "": false, "+": false, "alice": false, "123456e0": false, "1+2": false} {
		if got := directory.IsNumber(in); got != want {
			t.Errorf("IsNumber(%q) = %t, want %t", in, got, want)
		}
	}
}
