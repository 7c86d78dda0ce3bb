// SPDX-License-Identifier: MIT

package engine

// Talk is a conversation as an API shows it: a call of which both sides have
// picked up.
type Talk struct {
	ID ID
	// Muted says that the owner is not heard, Held that nobody hears anybody.
	Muted, Held bool
	Recording   bool
	// Participants are its parties, each with the id of its call.
	Participants []Participant
}

// Participant is one party of a Talk.
type Participant struct {
	ID      ID
	Address Address
	Muted   bool
	Held    bool
	// Owner is the account's own User in it.
	Owner bool
}

// AccountOf gives whose a living call is. The error is ErrNoCall.
func (e *Engine) AccountOf(id ID) (account string, err error) {
	err = e.order(id, func(c *Call) error {
		account = c.record.Account
		return nil
	})
	return account, err
}

// Talks gives the conversations of an account.
func (e *Engine) Talks(account string) []Talk {
	e.mu.Lock()
	ids := make([]ID, 0, len(e.calls))
	for id := range e.calls {
		ids = append(ids, id)
	}
	e.mu.Unlock()
	var talks []Talk
	for _, id := range ids {
		_ = e.order(id, func(c *Call) error { // one that is over talks no more
			if c.record.Account == account && c.record.Parent.IsZero() && c.party.talking {
				talks = append(talks, Talk{ID: id, Recording: c.party.taping})
			}
			return nil
		})
	}
	return talks
}
