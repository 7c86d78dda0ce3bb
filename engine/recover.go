// SPDX-License-Identifier: MIT

package engine

// Recover settles a call that an earlier run of the server left open. One that
// was alive died with that server: its record and its App are told so. Of one
// that had ended only the App is told, which may hear of it twice: whether it
// did before the crash cannot be known. last is the last event that was kept of
// it: until then it lived for all we know, and its record says so.
func (e *Engine) Recover(r Record, last Event) {
	c := e.reopen(r, last.Seq)
	c.app.outbox = e.chainOf(r.Chain, c.app.outbox)
	number, _ := e.directory.NumberNamed(r.Account, r.Number)
	c.called = called{number: number, users: e.usersOf(r, number)}
	if r.State == StateEnded {
		c.tellEnd(Event{Call: r.ID, Seq: last.Seq, At: *r.EndedAt, Kind: EventEnded, Data: Data{Cause: r.Cause}})
		return
	}
	if !last.At.IsZero() {
		c.record.EndedAt = &last.At
	}
	c.finishWith(CauseInterrupted)
	c.recoverTapes()
	c.close("the server stopped while the call was alive")
}

// chainOf gives the outbox of the first call of a chain that is settled: the app
// hears of the calls of one in their order.
func (e *Engine) chainOf(chain ID, otherwise *outbox) *outbox {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.chains[chain] == nil {
		e.chains[chain] = otherwise
	}
	return e.chains[chain]
}
