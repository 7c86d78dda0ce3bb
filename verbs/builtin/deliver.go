// SPDX-License-Identifier: MIT

package builtin

import (
	"cmp"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/verbs"
)

// Deliver is what the account settings do with a call that no app directs. A call
// that came in rings all Users of its number, its groups' included; one that a user
// makes rings whom it called: a user, a group, or a number, ours or by a trunk. When
// nobody is reached it goes on by the rules of the number that was called. A call
// that was forwarded or transferred is led to its Destination, and no rule holds.
// Without a rule it ends with the cause of the best outcome; a number without users
// is offline.
func Deliver(c engine.CallInfo) engine.Program {
	d := verbs.Deliver{RingTime: duration(c.Called.RingTime)}
	switch to := c.Destination; {
	case to != nil && to.Kind == directory.KindVoicemail:
		return Voicemail(c)
	case to != nil:
		d.Targets = []engine.Target{{Address: *to}}
		return engine.Program{d}
	case c.Inward:
		return engine.Program{verbs.Enter{To: c.To}}
	case c.Direction == engine.Out && c.Called.Number == "":
		return engine.Program{verbs.Dial{Targets: []engine.Target{{Address: c.To}}}}
	case c.Direction == engine.Out:
		d.Targets = []engine.Target{{Address: c.To}}
	default:
		for _, u := range c.Users {
			user := u.Address()
			user.Number = c.At()
			d.Targets = append(d.Targets, engine.Target{Address: user})
		}
	}
	d.Busy, d.Offline = rule("on_busy", c.Called.OnBusy), rule("on_offline", c.Called.OnOffline)
	d.NoAnswer = rule("on_no_answer", c.Called.OnNoAnswer)
	if after := duration(c.Called.VoicemailAfter); after > 0 {
		voicemail := rule("voicemail_after", directory.RuleVoicemail)
		d.RingTime, d.Busy, d.Offline, d.NoAnswer = after, cmp.Or(d.Busy, voicemail), cmp.Or(d.Offline, voicemail), cmp.Or(d.NoAnswer, voicemail)
	}
	return engine.Program{d}
}

// duration reads what was looked at when it was configured; empty is 0.
func duration(s string) time.Duration {
	d, _ := time.ParseDuration(s)
	return d
}

// rule gives whom a rule of a number leads to; nil is nobody.
func rule(name, to string) *verbs.Rule {
	switch to {
	case "":
		return nil
	case directory.RuleVoicemail:
		return &verbs.Rule{To: directory.Address{Kind: directory.KindVoicemail}, Name: name}
	}
	return &verbs.Rule{To: directory.NumberAddress(to), Name: name}
}

// AccountSettings is the dialect of numbers that have no App: nobody is asked,
// and every call is delivered by the account settings.
type AccountSettings struct{}

// Request asks nobody.
func (AccountSettings) Request(engine.CallInfo, engine.Event) engine.Request {
	return engine.Request{Name: "account settings"}
}

// Parse is never reached, because nobody is asked.
func (AccountSettings) Parse(engine.CallInfo, engine.Event, engine.Reply) (engine.Document, []engine.Problem) {
	return engine.Document{}, nil
}

// Default is Deliver.
func (AccountSettings) Default(c engine.CallInfo, _ engine.Event, _ engine.Missing) engine.Program {
	return Deliver(c)
}

// Notify tells nobody.
func (AccountSettings) Notify(engine.CallInfo, engine.Event) []engine.Request { return nil }

var _ engine.Dialect = AccountSettings{}
