// SPDX-License-Identifier: MIT

package server

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/callwright/callwright/directory"
)

// Where users can call, but no emergency service, the log says so, and of which
// account.
func TestEmergencyWithoutATrunk(t *testing.T) {
	t.Parallel()
	alice := directory.User{ID: "w0", Username: "alice"}
	bob := directory.User{ID: "w0", Account: "acme", Username: "bob"}
	enters := directory.Trunk{Name: "in", AllowFrom: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	leaves := directory.Trunk{Name: "out", Address: "192.0.2.1:5060"}
	theirs := directory.Trunk{Name: "acme", Account: "acme", Address: "192.0.2.1:5060"}
	for name, test := range map[string]struct {
		users   []directory.User
		trunks  []directory.Trunk
		numbers []string
		want    []string // accounts that are complained about
	}{
		"nobody can call":          {[]directory.User{{ID: "w0"}}, nil, []string{"112"}, nil},
		"no trunk":                 {[]directory.User{alice, bob}, nil, []string{"110", "112"}, []string{"acme", "default"}},
		"only a trunk that enters": {[]directory.User{alice}, []directory.Trunk{enters}, []string{"112"}, []string{"default"}},
		"a trunk of the operator":  {[]directory.User{alice, bob}, []directory.Trunk{enters, leaves}, []string{"112"}, nil},
		"a trunk of the other":     {[]directory.User{alice, bob}, []directory.Trunk{theirs}, []string{"112"}, []string{"default"}},
		"no emergency numbers":     {[]directory.User{alice}, nil, nil, nil},
	} {
		d, err := directory.New(directory.Entries{Accounts: []directory.Account{{ID: "acme"}}, Users: test.users, Trunks: test.trunks})
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
