// SPDX-License-Identifier: MIT

package server

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/callwright/callwright/engine"
)

// Where users can call, but no emergency service, the log says so, and of which
// account.
func TestEmergencyWithoutATrunk(t *testing.T) {
	t.Parallel()
	alice := engine.User{ID: "w0", Username: "alice"}
	bob := engine.User{ID: "w0", Account: "acme", Username: "bob"}
	enters := engine.Trunk{Name: "in", AllowFrom: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	leaves := engine.Trunk{Name: "out", Address: "192.0.2.1:5060"}
	theirs := engine.Trunk{Name: "acme", Account: "acme", Address: "192.0.2.1:5060"}
	for name, test := range map[string]struct {
		users   []engine.User
		trunks  []engine.Trunk
		numbers []string
		want    []string // accounts that are complained about
	}{
		"nobody can call":          {[]engine.User{{ID: "w0"}}, nil, []string{"112"}, nil},
		"no trunk":                 {[]engine.User{alice, bob}, nil, []string{"110", "112"}, []string{"acme", "default"}},
		"only a trunk that enters": {[]engine.User{alice}, []engine.Trunk{enters}, []string{"112"}, []string{"default"}},
		"a trunk of the operator":  {[]engine.User{alice, bob}, []engine.Trunk{enters, leaves}, []string{"112"}, nil},
		"a trunk of the other":     {[]engine.User{alice, bob}, []engine.Trunk{theirs}, []string{"112"}, []string{"default"}},
		"no emergency numbers":     {[]engine.User{alice}, nil, nil, nil},
	} {
		d, err := engine.NewDirectory(engine.Entries{Accounts: []engine.Account{{ID: "acme"}}, Users: test.users, Trunks: test.trunks})
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		warnOfEmergency(d, test.numbers, slog.New(slog.NewTextHandler(&log, nil)))
		if got := strings.Count(log.String(), "level=ERROR"); got != len(test.want) {
			t.Errorf("%s: %d complaints, want %d:\n%s", name, got, len(test.want), &log)
		}
		for _, account := range test.want {
			if want := `the users of account \"` + account + `\" can call, but no trunk leads out to ` + strings.Join(test.numbers, ", "); !strings.Contains(log.String(), want) {
				t.Errorf("%s: the log does not say %s:\n%s", name, want, &log)
			}
		}
	}
}
