// SPDX-License-Identifier: MIT

package engine_test

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/callwright/callwright/engine"
)

func TestNormalizeNumber(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"+4921112345": "+4921112345", "4921112345": "+4921112345", "004921112345": "+4921112345",
		"+49 (211) 123-45": "+4921112345", "100": "100", "1234567": "1234567", "0211123456": "0211123456",
		"alice": "alice", "": "",
	} {
		if got := engine.NormalizeNumber(in); got != want {
			t.Errorf("NormalizeNumber(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]bool{"+49 211": true, "100": true, "": false, "+": false, "alice": false, "123456e0": false, "1+2": false} {
		if got := engine.IsNumber(in); got != want {
			t.Errorf("IsNumber(%q) = %t, want %t", in, got, want)
		}
	}
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	d, err := engine.NewDirectory(engine.Entries{
		Apps:    []engine.App{{Key: "a"}},
		Users:   []engine.User{{ID: "w0"}, {ID: "w1"}, {ID: "w2"}},
		Groups:  []engine.Group{{ID: "g0", Users: []string{"w1", "w0", "w2"}}},
		Numbers: []engine.Number{{Number: "*"}, {Number: "4921*"}, {Number: "+49211*"}, {Number: "+49 (30) 1*"}, {Number: "+1202*"}, {Number: "12025*"}, {Number: "4921112345", Users: []string{"w1"}, Groups: []string{"g0"}}, {Number: "100"}},
		Trunks: []engine.Trunk{
			{Name: "in", AllowFrom: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
			{Name: "out", Address: "192.0.2.9:5060"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for dialled, want := range map[string]string{
		"+4921112345": "4921112345", "004921112345": "4921112345", "+4921199": "+49211*", "+492199999": "4921*", "+493012": "+49301*", "+12025550100": "12025*",
		"100": "100", "+1": "*", "alice": "*",
	} {
		got, ok := d.Number(engine.DefaultAccount, dialled)
		if want = strings.Replace(want, "4921112345", "+4921112345", 1); !ok || got.Number != want {
			t.Errorf("Number(%q) = %q, %t, want %q", dialled, got.Number, ok, want)
		}
	}
	n, _ := d.Number(engine.DefaultAccount, "+4921112345")
	var users []string
	for _, u := range d.UsersOf(n) {
		users = append(users, u.ID)
	}
	if !slices.Equal(users, []string{"w1", "w0", "w2"}) {
		t.Errorf("users %v, want each once, the number's own first", users)
	}
	if got := d.NearestNumber(engine.DefaultAccount, "4921112346"); got != "+4921112345" {
		t.Errorf("nearest to 4921112346 is %q", got)
	}
	if in, ok := d.TrunkFrom(netip.MustParseAddr("::ffff:192.0.2.7")); !ok || in.Name != "in" {
		t.Errorf("trunk from a mapped address: %q, %t", in.Name, ok)
	}
	if _, ok := d.TrunkFrom(netip.MustParseAddr("198.51.100.1")); ok {
		t.Error("a stranger came in by a trunk")
	}
	if out := d.TrunksOut(engine.DefaultAccount); len(out) == 0 || out[0].Name != "out" {
		t.Errorf("trunks out: %v", out)
	}
}

// What belongs to one account is not seen by another, but for its E.164 numbers,
// which anybody may call.
func TestAccountsDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	e := engine.Entries{
		Accounts: []engine.Account{{ID: "acme"}, {ID: "emca"}},
		Apps:     []engine.App{{Key: "a", Account: "acme"}},
		Users: []engine.User{
			{ID: "w0", Account: "acme", Username: "alice", Name: "Alice"}, {ID: "w0", Account: "emca", Username: "bob", Name: "Bob"},
		},
		Groups: []engine.Group{{ID: "g0", Account: "acme", Users: []string{"w0"}}},
		Numbers: []engine.Number{
			{Number: "100", Account: "acme"}, {Number: "+49301", Account: "acme", Users: []string{"w0"}}, {Number: "2*", Account: "acme"},
		},
		Trunks: []engine.Trunk{{Name: "ours", Address: "192.0.2.1"}, {Name: "theirs", Account: "acme", Address: "192.0.2.2"}},
	}
	d, err := engine.NewDirectory(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		account, dialled string
		number           bool
		party            string
	}{
		{"acme", "100", true, ""}, {"emca", "100", false, ""},
		{"acme", "200", true, ""}, {"emca", "200", false, ""},
		{"acme", "+49301", true, ""}, {"emca", "+49301", true, ""},
		{"acme", "alice", false, "Alice"}, {"emca", "alice", false, ""},
		{"acme", "w0", false, "Alice"}, {"emca", "w0", false, "Bob"},
		{"acme", "g0", false, "g0"}, {"emca", "g0", false, ""},
	} {
		if _, ok := d.Number(tt.account, tt.dialled); ok != tt.number {
			t.Errorf("%s dials %s: number %t, want %t", tt.account, tt.dialled, ok, tt.number)
		}
		party, ok := d.Party(tt.account, tt.dialled)
		if got := cmp.Or(party.Name, party.Value); got != tt.party || ok != (tt.party != "") {
			t.Errorf("%s dials %s: party %q, want %q", tt.account, tt.dialled, got, tt.party)
		}
	}
	for account, want := range map[string]string{"acme": "theirs", "emca": "ours", engine.DefaultAccount: "ours"} {
		if out := d.TrunksOut(account); len(out) == 0 || out[0].Name != want {
			t.Errorf("%s calls out by %v, want %q first", account, out, want)
		}
	}
	if got := d.NearestNumber("emca", "101"); got != "" {
		t.Errorf("emca is told of %q", got)
	}
	if u, _ := d.User("acme", "w0"); d.CallerID(u) != "+49301" {
		t.Errorf("Alice shows %q", d.CallerID(u))
	}

	e.Numbers = append(e.Numbers, engine.Number{Number: "+4940"})
	e.Trunks = nil
	if err := d.Replace(e); err != nil {
		t.Fatal(err)
	}
	if _, ok := d.Number("emca", "+4940"); !ok {
		t.Error("a number that was added is not found")
	}
	if len(d.TrunksOut("acme")) > 0 {
		t.Error("a trunk that was taken away is still there")
	}
	if err := d.Replace(engine.Entries{Numbers: []engine.Number{{Number: "1", App: "gone"}}}); err == nil {
		t.Error("entries that name what is not there were taken")
	}
	if _, ok := d.Number("emca", "+4940"); !ok {
		t.Error("entries that were refused took the place of the old ones")
	}
}

func TestDirectoryComplains(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]engine.Entries{
		`app "a" is configured twice`:                      {Apps: []engine.App{{Key: "a"}, {Key: "a"}}},
		`user "u" is configured twice`:                     {Users: []engine.User{{ID: "u"}, {ID: "u"}}},
		`group "g" is configured twice`:                    {Groups: []engine.Group{{ID: "g"}, {ID: "g"}}},
		`group "g" names user "u"`:                         {Groups: []engine.Group{{ID: "g", Users: []string{"u"}}}},
		`number "1" names app "b"`:                         {Numbers: []engine.Number{{Number: "1", App: "b"}}},
		`number "1" names user "u"`:                        {Numbers: []engine.Number{{Number: "1", Users: []string{"u"}}}},
		`number "1" names group "g"`:                       {Numbers: []engine.Number{{Number: "1", Groups: []string{"g"}}}},
		`number "+4921112345" is configured twice`:         {Numbers: []engine.Number{{Number: "+4921112345"}, {Number: "4921112345"}}},
		`number "4*" is configured twice`:                  {Numbers: []engine.Number{{Number: "4*"}, {Number: "4*"}}},
		`account "a" is configured twice`:                  {Accounts: []engine.Account{{ID: "a"}, {ID: "a"}}},
		`user "u" names account "b"`:                       {Users: []engine.User{{ID: "u", Account: "b"}}},
		`user "u" names app "a"`:                           {Apps: []engine.App{{Key: "a"}}, Accounts: []engine.Account{{ID: "b"}}, Users: []engine.User{{ID: "u", Account: "b", App: "a"}}},
		`user "v" has the username "x", which user "u"`:    {Users: []engine.User{{ID: "u", Username: "x"}, {ID: "v", Username: "x"}}},
		`user "u" has the dtmf "morse"`:                    {Users: []engine.User{{ID: "u", DTMF: "morse"}}},
		`user "u" has the srtp "maybe": write off, allow`:  {Users: []engine.User{{ID: "u", SRTP: "maybe"}}},
		`trunk "t" has the srtp "on": write off, allow`:    {Trunks: []engine.Trunk{{Name: "t", Address: "a:1", SRTP: "on"}}},
		`number "+49301" is another account's already`:     {Accounts: []engine.Account{{ID: "b"}}, Numbers: []engine.Number{{Number: "+49301"}, {Number: "+49301", Account: "b"}}},
		`trunk "t" names app "b", which is not configured`: {Trunks: []engine.Trunk{{Name: "t", App: "b"}}},
	} {
		if _, err := engine.NewDirectory(e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// Nobody can have the number of an emergency service.
func TestEmergencyNumbersAreTaken(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]engine.Entries{
		`number "112" is an emergency number`: {Numbers: []engine.Number{{Number: "112"}}},
		`user "u" has an emergency number`:    {Users: []engine.User{{ID: "u", Username: "112"}}},
		`group "112" has an emergency number`: {Groups: []engine.Group{{ID: "112"}}},
	} {
		if _, err := engine.NewDirectory(e, "1-1-2"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	d, err := engine.NewDirectory(engine.Entries{Numbers: []engine.Number{{Number: "*"}}}, "1-1-2")
	if err != nil {
		t.Fatal(err)
	}
	for number, want := range map[string]bool{"112": true, "+112": true, "1 12": true, "1120": false, "110": false} {
		if got := d.Emergency(engine.NumberAddress(number)); got != want {
			t.Errorf("%s is an emergency: %t, want %t", number, got, want)
		}
	}
}

// The table of causes, as the SIP statuses of targets lead to it and as
// sipgate.io words it (spec section 1.5).
func TestCauses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status  int
		rang    bool
		cause   engine.Cause
		sipgate string
	}{
		{486, true, engine.CauseBusy, "busy"}, {600, false, engine.CauseBusy, "busy"},
		{603, true, engine.CauseRejected, "noAnswer"}, {403, false, engine.CauseRejected, "noAnswer"},
		{480, true, engine.CauseNoAnswer, "noAnswer"}, {408, true, engine.CauseNoAnswer, "noAnswer"},
		{480, false, engine.CauseOffline, "notFound"},
		{404, false, engine.CauseNotFound, "notFound"}, {410, false, engine.CauseNotFound, "notFound"},
		{484, false, engine.CauseNotFound, "notFound"}, {485, false, engine.CauseNotFound, "notFound"},
		{604, false, engine.CauseNotFound, "notFound"},
		{408, false, engine.CauseUnreachable, "congestion"}, {500, true, engine.CauseUnreachable, "congestion"},
		{503, false, engine.CauseUnreachable, "congestion"}, {488, false, engine.CauseUnreachable, "congestion"},
		{606, false, engine.CauseUnreachable, "congestion"},
		{487, true, engine.CauseNoAnswer, "noAnswer"}, {487, false, engine.CauseUnreachable, "congestion"},
	} {
		got := engine.CauseOfStatus(tt.status, tt.rang)
		if got != tt.cause || got.Words().Sipgate != tt.sipgate {
			t.Errorf("%d (rang: %t) is %s, %s at sipgate, want %s, %s", tt.status, tt.rang, got, got.Words().Sipgate, tt.cause, tt.sipgate)
		}
	}
	for cause, want := range map[engine.Cause]string{
		engine.CauseNormal: "normalClearing", engine.CauseMaxDuration: "normalClearing", engine.CauseForwarded: "forwarded",
		engine.Cause("no such cause"): "congestion",
	} {
		if got := cause.Words().Sipgate; got != want {
			t.Errorf("%s is %s at sipgate, want %s", cause, got, want)
		}
	}
	// The caller that gave up had its 487 already; the one that an API gave up for not.
	if got := engine.CauseCancelled.Words(); got.SIPStatus != 480 || got.Sipgate != "cancel" {
		t.Errorf("cancelled is %+v", got)
	}
	order := []engine.Cause{engine.CauseBusy, engine.CauseNoAnswer, engine.CauseUnreachable, engine.CauseNotFound}
	for i := 1; i < len(order); i++ {
		if !order[i-1].Better(order[i]) || order[i].Better(order[i-1]) {
			t.Errorf("%s must tell more than %s", order[i-1], order[i])
		}
	}
	if !engine.CauseOffline.Better("") {
		t.Error("any cause tells more than none")
	}
}

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
