// SPDX-License-Identifier: MIT

package builtin

import (
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/verbs"
)

// Deliver is what the account settings do with a call that no app directs. A
// call that a user makes rings whom it called: a user, a group, or a number by
// the trunk. A call that came in rings all Users of its number, its groups'
// included. Either ends with the cause of the best outcome; a number without
// users is offline.
func Deliver(c engine.CallInfo) engine.Program {
	if c.Destination != nil && c.Destination.Kind == engine.KindVoicemail {
		return Voicemail(c)
	}
	if c.Direction == engine.Out {
		return engine.Program{verbs.Dial{Targets: []engine.Target{{Address: c.To}}}}
	}
	var targets []engine.Target
	for _, u := range c.Users {
		targets = append(targets, engine.Target{Address: u.Address()})
	}
	return engine.Program{verbs.Dial{Targets: targets}}
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
