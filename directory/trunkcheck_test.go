// SPDX-License-Identifier: MIT

package directory

import (
	"fmt"
	"strings"
	"testing"
)

// What a trunk is to do, but cannot, is said with the field and what to change.
func TestTrunkCheck(t *testing.T) {
	t.Parallel()
	many := map[string]string{}
	for i := range 21 {
		many[fmt.Sprint("X-", i)] = "v"
	}
	for _, tc := range []struct {
		change func(*Trunk)
		field  string
		says   string
	}{
		{func(t *Trunk) { t.Register, t.Username, t.Options, t.Weight = true, "u", "1s", 7 }, "", ""},
		{func(t *Trunk) { t.Headers = map[string]string{"X-A": "b", "Alert-Info": "<urn:x>"} }, "", ""},
		{func(t *Trunk) { t.Identity, t.Username = IdentityAsserted, "u" }, "", ""},
		{func(t *Trunk) { t.Options = "0s" }, "", ""},
		{func(t *Trunk) { t.Register = true }, "register", "needs an address and a username"},
		{func(t *Trunk) { t.Options = "fast" }, "options", `has the options "fast": write a time with its unit`},
		{func(t *Trunk) { t.Options = "500ms" }, "options", "every 500ms: write 1s or more"},
		{func(t *Trunk) { t.Options = "-5s" }, "options", "every -5s"},
		{func(t *Trunk) { t.Priority = -1 }, "priority", "below 0"},
		{func(t *Trunk) { t.Weight = -1 }, "weight", "below 0"},
		{func(t *Trunk) { t.MaxCalls = -1 }, "max_calls", "below 0"},
		{func(t *Trunk) { t.CallsPerSecond = -1 }, "calls_per_second", "below 0"},
		{func(t *Trunk) { t.Identity = "pai" }, "identity", "write from, asserted or preferred"},
		{func(t *Trunk) { t.Identity = IdentityPreferred }, "identity", "write a username"},
		{func(t *Trunk) { t.TLS.Cert = "a.pem" }, "tls", "write both files, or neither"},
		{func(t *Trunk) { t.TLS.Key = "a.pem" }, "tls", "write both files, or neither"},
		{func(t *Trunk) { t.TLS.ServerName = "https://x" }, "tls", "no host name"},
		{func(t *Trunk) { t.Headers = map[string]string{"contact": "x"} }, "headers", "made for each call"},
		{func(t *Trunk) { t.Headers = map[string]string{"I": "x"} }, "headers", "made for each call"},
		{func(t *Trunk) { t.Headers = map[string]string{"P-Asserted-Identity": "x"} }, "headers", "trunks[].identity"},
		{func(t *Trunk) { t.Headers = map[string]string{"X Y": "x"} }, "headers", "letters, digits and dashes"},
		{func(t *Trunk) { t.Headers = map[string]string{"X-A": "a\r\nb"} }, "headers", "no line"},
		{func(t *Trunk) { t.Headers = map[string]string{"X-A": strings.Repeat("a", 1025)} }, "headers", "1024 bytes"},
		{func(t *Trunk) { t.Headers = many }, "headers", "at most 20"},
	} {
		trunk := Trunk{Name: "t", Address: "carrier.test"}
		tc.change(&trunk)
		err := trunk.check()
		switch {
		case tc.field == "" && err != nil:
			t.Errorf("%+v: %v", trunk, err)
		case tc.field != "" && (err == nil || err.Field != tc.field || !strings.Contains(err.Problem, tc.says)):
			t.Errorf("%+v: %v, want %s: %s", trunk, err, tc.field, tc.says)
		}
	}
	for _, trunk := range []Trunk{{Name: "t", Options: "30s"}, {Name: "t", Register: true, Username: "u"}} {
		if err := trunk.service(); err == nil || !strings.Contains(err.Problem, "needs an address") {
			t.Errorf("%+v: %v", trunk, err)
		}
	}
}
