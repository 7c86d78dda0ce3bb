// SPDX-License-Identifier: MIT

package builtin

import (
	"cmp"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/verbs"
)

// Deliver is what the account settings do with a call that no app directs. A
// call that a user makes rings whom it called: a user, a group, or a number by
// the trunk. A call that came in rings all Users of its number, its groups'
// included, and goes on by the rules of that number when nobody is reached; one
// that was forwarded or transferred is led to its Destination, and no rule holds.
// Without a rule a call ends with the cause of the best outcome; a number without
// users is offline.
func Deliver(c engine.CallInfo) engine.Program {
	ringTime, _ := time.ParseDuration(c.Called.RingTime) // it was looked at when it was configured
	switch to := c.Destination; {
	case to != nil && to.Kind == engine.KindVoicemail:
		return Voicemail(c)
	case to != nil:
		return engine.Program{verbs.Deliver{Targets: []engine.Target{{Address: *to}}, RingTime: ringTime}}
	case c.Direction == engine.Out:
		return engine.Program{verbs.Dial{Targets: []engine.Target{{Address: c.To}}}}
	}
	d := verbs.Deliver{
		RingTime: ringTime, Busy: rule(c, c.Called.OnBusy), Offline: rule(c, c.Called.OnOffline), NoAnswer: rule(c, c.Called.OnNoAnswer),
	}
	for _, u := range c.Users {
		d.Targets = append(d.Targets, engine.Target{Address: u.Address()})
	}
	if after, err := time.ParseDuration(c.Called.VoicemailAfter); err == nil {
		d.RingTime = after
		voicemail := rule(c, engine.RuleVoicemail)
		d.Busy, d.Offline, d.NoAnswer = cmp.Or(d.Busy, voicemail), cmp.Or(d.Offline, voicemail), cmp.Or(d.NoAnswer, voicemail)
	}
	return engine.Program{d}
}

// rule gives whom a rule of a number leads to; nil is nobody.
func rule(c engine.CallInfo, to string) *engine.Address {
	var a engine.Address
	switch to {
	case "":
		return nil
	case engine.RuleVoicemail:
		a = engine.Address{Kind: engine.KindVoicemail, Value: box(c)}
	default:
		a = engine.NumberAddress(to)
	}
	return &a
}

// box is whose voicemail that of a number is: its first user's, those of its groups
// after its own; of one that rings nobody the number's.
func box(c engine.CallInfo) string {
	if len(c.Users) > 0 {
		return c.Users[0].ID
	}
	if n := c.Called.ID(); engine.IsNumber(n) {
		return n
	}
	return c.To.Value // it is a pattern
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
