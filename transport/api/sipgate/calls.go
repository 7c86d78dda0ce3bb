// SPDX-License-Identifier: MIT

package sipgate

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/api"
)

// Calls are the calls that live. All that name one fail with engine.ErrNoCall when
// it does not.
type Calls interface {
	// AccountOf gives whose call it is.
	AccountOf(engine.ID) (account string, err error)
	// Talks gives the conversations of an account: calls of which both sides have
	// picked up, and none that leaves a message.
	Talks(account string) []engine.Talk
	// EndCall hangs up. It fails with engine.ErrEmergency for a call that is left alone.
	EndCall(engine.ID) error
}

// talk is a conversation as it is shown.
type talk struct {
	CallID       string        `json:"callId"`
	Muted        bool          `json:"muted"`
	Recording    bool          `json:"recording"`
	Hold         bool          `json:"hold"`
	Participants []participant `json:"participants"`
}

// participant is a party of it. One who withheld the number has an empty one.
type participant struct {
	ID     string `json:"participantId"`
	Number string `json:"phoneNumber"`
	Muted  bool   `json:"muted"`
	Hold   bool   `json:"hold"`
	Owner  bool   `json:"owner"`
}

// listCalls is GET /calls.
func (f *Face) listCalls(r *request) (any, error) {
	list := []talk{}
	for _, t := range f.config.Calls.Talks(r.token.Account) {
		shown := talk{CallID: written(t.ID), Muted: t.Muted, Recording: t.Recording, Hold: t.Held, Participants: []participant{}}
		for _, p := range t.Participants {
			shown.Participants = append(shown.Participants, participant{
				ID: written(p.ID), Number: numberOf(p.Address), Muted: p.Muted, Hold: p.Held, Owner: p.Owner,
			})
		}
		list = append(list, shown)
	}
	return map[string]any{"data": list}, nil
}

// hangup is DELETE /calls/{callId}.
func (f *Face) hangup(r *request) (any, error) {
	id, err := f.call(r)
	if err != nil {
		return nil, err
	}
	return nil, refused(f.config.Calls.EndCall(id))
}

// call gives the living call that a path names. One that is over, of another
// account or never was is the same to who asks.
func (f *Face) call(r *request) (engine.ID, error) {
	id, err := engine.ParseID(r.id)
	if err != nil {
		return id, errNoCall()
	}
	account, err := f.config.Calls.AccountOf(id)
	if err == nil && account != r.token.Account {
		return id, errNoCall()
	}
	return id, refused(err)
}

// errNoCall is that one answer; the client of npm says it in the same words.
func errNoCall() error {
	return api.Refuse(http.StatusNotFound, "the requested call could not be found: its id is that of no call of this account which is alive")
}

// written is an id as the pushes have it, which is how an app knows a call.
func written(id engine.ID) string { return strings.ToUpper(id.Hex()) }

// numberOf gives the number of a party, or its id; a withheld one is empty.
func numberOf(a directory.Address) string {
	if a.Kind == directory.KindAnonymous {
		return ""
	}
	return cmp.Or(a.Number, a.Value)
}
