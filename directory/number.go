// SPDX-License-Identifier: MIT

package directory

import (
	"cmp"
	"slices"
	"strings"
)

// Number is what can be dialled.
type Number struct {
	// Number is E.164 with plus, an extension, or a pattern: a prefix and a
	// star ("+4921*", "*"). E.164 numbers exist once on the whole server,
	// extensions and patterns once in an account.
	Number  string `json:"number"`
	Account string `json:"account"`
	// App is the key of the App that is asked about calls to it.
	App string `json:"app,omitempty"`
	// Users and Groups are rung when the App leaves a call to the account
	// settings.
	Users  []string `json:"users,omitempty"`
	Groups []string `json:"groups,omitempty"`
	// VoicemailAfter sends a call that nobody picks up for so long, as a duration
	// ("20s"), to voicemail; also one to users who are busy or offline, unless
	// there is another rule for that. Empty is never.
	VoicemailAfter string `json:"voicemail_after,omitempty"`
	// OnBusy, OnOffline and OnNoAnswer are where a call goes that reaches nobody:
	// RuleVoicemail or a number; empty ends it.
	OnBusy     string `json:"on_busy,omitempty"`
	OnOffline  string `json:"on_offline,omitempty"`
	OnNoAnswer string `json:"on_no_answer,omitempty"`
	// RingTime is how long users ring, as a duration, where VoicemailAfter does
	// not say; empty is a minute.
	RingTime string `json:"ring_time,omitempty"`
}

// RuleVoicemail leads a call to voicemail.
const RuleVoicemail = "voicemail"

// EntryID is that of Entry.
func (n Number) EntryID() EntryID {
	if n.public() {
		return EntryID{EntryNumber, "", n.ID()}
	}
	return EntryID{EntryNumber, n.Account, n.ID()}
}

// ID gives what names the Number in its account: the number or pattern in its
// one form, as NormalizeNumber writes it.
func (n Number) ID() string {
	if prefix, ok := strings.CutSuffix(n.Number, "*"); ok {
		return NormalizeNumber(prefix) + "*"
	}
	return NormalizeNumber(n.Number)
}

// public says whether the Number is E.164, so that anybody can dial it.
func (n Number) public() bool {
	return strings.HasPrefix(n.ID(), "+") && !strings.HasSuffix(n.Number, "*")
}

func (n Number) check() *EntryError {
	if plain := strings.TrimSuffix(n.Number, "*"); plain != "" && !IsNumber(plain) || n.Number == "" {
		e := n.EntryID().wrong("number", "is no number: write one like \"+4921112345\", or the first digits and a star")
		if n.Number == "" {
			e.Problem = "has no number: write one like \"+4921112345\", or the first digits and a star"
		}
		return e
	}
	return n.checkRules()
}

// rule is where a call goes that reaches nobody, by the name of the setting.
type rule struct{ field, to string }

func (n Number) rules() []rule {
	return []rule{{"on_busy", n.OnBusy}, {"on_offline", n.OnOffline}, {"on_no_answer", n.OnNoAnswer}}
}

// checkRules sees that what a number is to do when it reaches nobody can be done.
func (n Number) checkRules() *EntryError {
	name := n.EntryID()
	for _, r := range n.rules() {
		switch {
		case r.to == "" || r.to == RuleVoicemail:
		case !IsNumber(r.to):
			return name.wrong(r.field, "has the %s %q: write voicemail, or a number like \"+4921112345\"", r.field, r.to)
		case NormalizeNumber(r.to) == n.ID():
			return name.wrong(r.field, "has itself as its %s: write voicemail or another number", r.field)
		}
	}
	if n.VoicemailAfter != "" && n.OnNoAnswer != "" && n.OnNoAnswer != RuleVoicemail {
		return name.wrong("on_no_answer", "has voicemail_after and the on_no_answer %q, and a call that nobody picks up cannot go to both: leave one out, or write ring_time for how long it rings before on_no_answer", n.OnNoAnswer)
	}
	return cmp.Or(name.lasts("voicemail_after", n.VoicemailAfter), name.lasts("ring_time", n.RingTime))
}

func (x *index) addNumber(n Number) *EntryError {
	n.Account = cmp.Or(n.Account, DefaultAccount)
	name := n.EntryID()
	if err := cmp.Or(x.owner(name, n.Account), x.mine(name, n.Account, n.App), x.areUsers(name, n.Account, n.Users)); err != nil {
		return err
	}
	for _, id := range n.Groups {
		if _, ok := x.groups[key{n.Account, id}]; !ok {
			return name.wrong("groups", "names group %q, which is not configured", id)
		}
	}
	if strings.HasSuffix(n.Number, "*") {
		return x.addPattern(n)
	}
	n.Number = n.ID()
	k := key{n.Account, n.Number}
	_, twice := x.exact[k]
	_, elsewhere := x.public[n.Number]
	switch {
	case twice:
		return name.taken("number", "is configured twice")
	case elsewhere:
		return name.taken("number", "is another account's already")
	case n.public():
		x.public[n.Number] = n
	}
	x.exact[k] = n
	return nil
}

func (x *index) addPattern(n Number) *EntryError {
	name := n.EntryID()
	n.Number = n.ID()
	all := x.patterns[n.Account]
	if slices.ContainsFunc(all, func(p Number) bool { return p.Number == n.Number }) {
		return name.taken("number", "is configured twice")
	}
	all = append(all, n)
	digits := func(n Number) int { return len(strings.TrimPrefix(n.Number, "+")) }
	slices.SortStableFunc(all, func(a, b Number) int { return digits(b) - digits(a) })
	x.patterns[n.Account] = all
	return nil
}

// urgentRules sees that no call is sent on to an emergency service: who called did
// not dial it.
func (x *index) urgentRules(emergency string) error {
	check := func(n Number) error {
		for _, r := range n.rules() {
			if strings.TrimPrefix(NormalizeNumber(r.to), "+") == emergency {
				return n.EntryID().wrong(r.field, "has the %s %q, an emergency number (limits.emergency), which nobody is sent on to: write another", r.field, r.to)
			}
		}
		return nil
	}
	for _, n := range x.exact {
		if err := check(n); err != nil {
			return err
		}
	}
	for _, patterns := range x.patterns {
		for _, n := range patterns {
			if err := check(n); err != nil {
				return err
			}
		}
	}
	return nil
}

// Number finds what was dialled by somebody of an account: one of the account's
// numbers, exact before pattern and the longest pattern first, else an E.164
// number of another account, as if the call came from outside.
func (d *Directory) Number(account, dialled string) (Number, bool) {
	now := d.now.Load()
	dialled = NormalizeNumber(dialled)
	if n, ok := now.exactly(account, dialled); ok {
		return n, true
	}
	return now.pattern(account, dialled)
}

// InsideNumber finds a number that somebody of an account calls from inside, if it is one
// of this server: as Number does, but for a pattern of everything, which is there
// for trunks and would keep anybody from calling out.
func (d *Directory) InsideNumber(account, dialled string) (Number, bool) {
	now := d.now.Load()
	if n, ok := now.exactly(account, dialled); ok {
		return n, true
	}
	if n, ok := now.pattern(account, dialled); ok && strings.ContainsAny(n.Number, "0123456789") {
		return n, true
	}
	return Number{}, false
}

// OwnNumber finds a number that somebody of an account calls from inside, if it is one of
// that account.
func (d *Directory) OwnNumber(account, dialled string) (Number, bool) {
	n, ok := d.InsideNumber(account, dialled)
	return n, ok && n.Account == account
}

// exactly finds a number that somebody of an account can call, patterns aside.
func (x *index) exactly(account, dialled string) (Number, bool) {
	if n, ok := x.exact[key{account, dialled}]; ok {
		return n, true
	}
	n, ok := x.public[dialled]
	return n, ok
}

// pattern finds an account's longest pattern for a number.
func (x *index) pattern(account, dialled string) (Number, bool) {
	for _, p := range x.patterns[account] {
		// A pattern may be written with or without the plus.
		prefix := strings.TrimSuffix(p.Number, "*")
		if strings.HasPrefix(dialled, prefix) || strings.HasPrefix(strings.TrimPrefix(dialled, "+"), prefix) {
			return p, true
		}
	}
	return Number{}, false
}

// NumberNamed finds a Number by the name that records have of it, a pattern's
// too.
func (d *Directory) NumberNamed(account, number string) (Number, bool) {
	now := d.now.Load()
	for _, p := range now.patterns[account] {
		if p.Number == number {
			return p, true
		}
	}
	n, ok := now.exact[key{account, number}]
	return n, ok
}

// NearestNumber gives the configured number that an account may call and that
// shares most with what was dialled, for a log line; empty when none is
// configured.
func (d *Directory) NearestNumber(account, dialled string) string {
	dialled = strings.TrimPrefix(NormalizeNumber(dialled), "+")
	best, most := "", -1
	for k := range d.now.Load().exact {
		if k.account != account {
			continue
		}
		shared := commonEnds(strings.TrimPrefix(k.id, "+"), dialled)
		if shared > most || shared == most && k.id < best {
			best, most = k.id, shared
		}
	}
	return best
}

// mostNumbers is how many numbers a sentence names.
const mostNumbers = 10

// NumbersOf names the first numbers of an account, patterns too but for that of
// everything.
func (d *Directory) NumbersOf(account string) []string {
	now := d.now.Load()
	var numbers []string
	for k := range now.exact {
		if k.account == account {
			numbers = append(numbers, k.id)
		}
	}
	for _, p := range now.patterns[account] {
		if p.Number != "*" {
			numbers = append(numbers, p.Number)
		}
	}
	slices.Sort(numbers)
	if len(numbers) > mostNumbers {
		numbers = append(numbers[:mostNumbers], "…")
	}
	return numbers
}
