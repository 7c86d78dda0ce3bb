// SPDX-License-Identifier: MIT

package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// happenedBefore is what an account has behind it: calls of every fate, of which some
// left messages or were recorded, and what is no part of it.
func happenedBefore(t *testing.T, s Store) (past []engine.Past) {
	t.Helper()
	causes := []engine.Cause{
		engine.CauseNormal, engine.CauseBusy, engine.CauseNoAnswer, engine.CauseForwarded, engine.CauseTransferred, engine.CauseElsewhere, "",
	}
	parties := []directory.Address{
		{Kind: directory.KindNumber, Value: "+4915799912345", Name: "Bob"}, {Kind: directory.KindUser, Value: "w0", Number: "+4915799912345"},
		directory.NumberAddress("100"), directory.Anonymous(), {Kind: directory.KindSIP, Value: "sip:a@127.0.0.1"},
	}
	answered := []*directory.Address{nil, {Kind: directory.KindUser, Value: "w0"}, {Kind: directory.KindVoicemail, Value: "w0"}, {Kind: directory.KindNumber, Value: "+49301"}}
	now := time.Now().Truncate(time.Second).UTC()
	add := func(adjust func(*engine.Record)) engine.Record {
		r := ringing()
		r.Account, r.State, r.StartedAt = "acme", engine.StateEnded, now.Add(time.Duration(len(past)-50)*time.Second)
		ended := r.StartedAt.Add(time.Second)
		r.EndedAt = &ended
		adjust(&r)
		s.Append(saved(r))
		return r
	}
	for i := range 70 {
		r := add(func(r *engine.Record) {
			r.Cause, r.From, r.To, r.AnsweredBy = causes[i%len(causes)], parties[i%len(parties)], parties[i/2%len(parties)], answered[i/3%len(answered)]
			r.Direction, r.Number = []engine.Direction{engine.In, engine.Out}[i%2], []string{"+4921112345", "+492111*", ""}[i%3]
			r.Caller = []string{"", "w0", "w1"}[i%3]
		})
		add(func(r *engine.Record) { r.Account = "zoo" })
		add(func(r *engine.Record) { r.Parent = engine.NewID() })
		add(func(r *engine.Record) { r.EndedAt, r.State = nil, engine.StateAnswered })
		one := engine.Past{Call: r}
		switch m := fullRecording(); i % 10 {
		case 3, 7: // recorded, twice
			first := fullRecording()
			first.Kind, first.Call, m.Kind, m.Call = engine.RecordingCall, r.ID, engine.RecordingCall, r.ID
			s.Append(recorded(first), recorded(m))
			one.Recordings = []engine.Recording{m, first}
			slices.SortFunc(one.Recordings, func(a, b engine.Recording) int { return slices.Compare(b.ID[:], a.ID[:]) })
		case 5: // left a message
			m.Call, m.StartedAt, m.From, m.To = r.ID, r.StartedAt, r.From, r.To
			m.Box = []string{"w0", "w1", "+4921112345"}[i/10%3]
			s.Append(recorded(m))
			one = engine.Past{Message: m}
		}
		past = append(past, one)
	}
	durable(t, s)
	slices.SortFunc(past, func(a, b engine.Past) int { // one of both is zero
		x, y := max(string(a.Call.ID[:]), string(a.Message.ID[:])), max(string(b.Call.ID[:]), string(b.Message.ID[:]))
		return strings.Compare(y, x)
	})
	return past
}

// passes says what engine.PastFilter means.
func passes(f engine.PastFilter, p engine.Past) bool {
	has := func(a directory.Address) bool {
		number := a.Number
		if number == "" {
			number = a.Value
		}
		return strings.TrimLeft(number, "+") == f.Party
	}
	within := func(at time.Time) bool {
		return (f.From.IsZero() || !at.Before(f.From)) && (f.To.IsZero() || !at.After(f.To))
	}
	if m := p.Message; !m.ID.IsZero() {
		return !f.NoMessages && within(m.StartedAt) && (f.Party == "" || has(m.From) || has(m.To)) && (len(f.Users) == 0 || slices.Contains(f.Users, m.Box))
	}
	c := p.Call
	concerns := slices.Contains(f.Users, c.Caller)
	if c.Direction == engine.In {
		concerns = slices.Contains(f.Numbers, c.Number)
		if c.AnsweredBy != nil && c.AnsweredBy.Kind == directory.KindUser {
			concerns = slices.Contains(f.Users, c.AnsweredBy.Value)
		}
	}
	return !f.NoCalls && within(c.StartedAt) && (f.Party == "" || has(c.From) || has(c.To)) && (len(f.Users) == 0 || concerns) &&
		(len(f.Fates) == 0 || slices.Contains(f.Fates, engine.Fate{Direction: c.Direction, Missed: c.Missed()}))
}

func foundPast(t *testing.T, db Database) {
	s := fresh(t, db)
	all := happenedBefore(t, s)
	middle := time.Now().Truncate(time.Second).UTC().Add(-15 * time.Second)
	seen := map[int]bool{}
	for _, f := range []engine.PastFilter{
		{}, {NoCalls: true}, {NoMessages: true}, {NoCalls: true, NoMessages: true},
		{Fates: []engine.Fate{{Direction: engine.In}}}, {Fates: []engine.Fate{{Direction: engine.Out}}},
		{Fates: []engine.Fate{{Direction: engine.In, Missed: true}}, NoMessages: true}, {Fates: []engine.Fate{{Direction: engine.Out, Missed: true}, {Direction: engine.In}}},
		{From: middle}, {To: middle}, {From: middle, To: middle.Add(3 * time.Second)}, {From: middle.AddDate(1, 0, 0)}, {To: middle.AddDate(-1, 0, 0)},
		{From: middle.AddDate(-90, 0, 0)}, {To: middle.AddDate(-90, 0, 0)}, {From: middle.AddDate(-2000, 0, 0), To: middle.AddDate(7000, 0, 0)},
		{Users: []string{"w0"}}, {Users: []string{"w1"}, Numbers: []string{"+4921112345"}}, {Users: []string{"w0", "w1"}, Numbers: []string{"+492111*", "+4921112345"}},
		{Users: []string{"nobody"}, Numbers: []string{"+492111*"}}, {Users: []string{"nobody"}},
		{Party: "4915799912345"}, {Party: "100"}, {Party: "sip:a@127.0.0.1"}, {Party: "1"}, {Party: "w0"},
		{Party: "4915799912345", From: middle, Users: []string{"w0"}, Fates: []engine.Fate{{Direction: engine.In, Missed: true}, {Direction: engine.Out}}},
	} {
		f.Account = "acme"
		var want []engine.Past
		for _, p := range all {
			if passes(f, p) {
				want = append(want, p)
			}
		}
		got, total, err := s.Past(waiting(t), f, 1000, 0)
		if err != nil || total != len(want) {
			t.Errorf("%+v: %d in all, %v, want %d", f, total, err, len(want))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%+v, newest first (-want +got):\n%s", f, diff)
		}
		seen[len(want)] = true
	}
	if len(seen) < 12 {
		t.Errorf("the filters tell %v entries apart only", seen)
	}
}

// pagesOfPast turns the pages.
func pagesOfPast(t *testing.T, db Database) {
	s := fresh(t, db)
	all := happenedBefore(t, s)
	for _, limit := range []int{7, len(all), 1000} {
		var got []engine.Past
		for offset := 0; offset < len(all); offset += limit {
			page, total, err := s.Past(waiting(t), engine.PastFilter{Account: "acme"}, limit, offset)
			if err != nil || total != len(all) || len(page) > limit {
				t.Fatalf("a page of %d behind %d: %d of %d, %v", limit, offset, len(page), total, err)
			}
			got = append(got, page...)
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("by %d (-want +got):\n%s", limit, diff)
		}
	}
	for _, beyond := range []int{len(all), 1 << 40} {
		if page, total, err := s.Past(waiting(t), engine.PastFilter{Account: "acme"}, 10, beyond); len(page) != 0 || total != len(all) || err != nil {
			t.Errorf("behind %d: %d of %d, %v", beyond, len(page), total, err)
		}
	}
	for _, limit := range []int{-1, 0, 1} {
		if page, _, err := s.Past(waiting(t), engine.PastFilter{Account: "acme"}, limit, -1); len(page) != 1 || err != nil {
			t.Errorf("a page of %d has %d, %v, want 1", limit, len(page), err)
		}
	}
	if page, total, err := s.Past(waiting(t), engine.PastFilter{Account: "nobody"}, 10, 0); len(page) != 0 || total != 0 || err != nil {
		t.Errorf("an account without a past has %d of %d, %v", len(page), total, err)
	}
	// Without its message a call is there itself again.
	left := all[slices.IndexFunc(all, func(p engine.Past) bool { return !p.Message.ID.IsZero() })].Message
	keep(t, s, deleted(left))
	page, total, err := s.Past(waiting(t), engine.PastFilter{Account: "acme", NoMessages: true}, 1000, 0)
	if err != nil || !slices.ContainsFunc(page, func(p engine.Past) bool { return p.Call.ID == left.Call }) {
		t.Errorf("the call of a deleted message is not among %d, %v", total, err)
	}
}

func strangePast(t *testing.T, db Database) {
	s := fresh(t, db)
	keep(t, s, saved(fullRecord()))
	for _, word := range []string{"'", "' OR 1=1 --", "\x00", "\xff", "%", `"`, strings.Repeat("9", 10000)} {
		for name, f := range map[string]engine.PastFilter{
			"party": {Account: "acme", Party: word}, "user": {Account: "acme", Users: []string{word}}, "number": {Account: "acme", Users: []string{"x"}, Numbers: []string{word}},
			"account": {Account: word},
		} {
			if (word == "\x00" || word == "\xff") && name != "party" {
				continue // nobody is called so
			}
			if page, total, err := s.Past(waiting(t), f, 10, 0); len(page) != 0 || total != 0 || err != nil {
				t.Errorf("%s %.20q finds %d of %d, %v", name, word, len(page), total, fmt.Sprint(err))
			}
		}
	}
}
