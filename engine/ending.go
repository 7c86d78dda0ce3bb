// SPDX-License-Identifier: MIT

package engine

import (
	"cmp"
	"context"
	"time"
)

// close brings the call to its end, whatever state it is in: its children and
// its leg are hung up and seen to end, the record gets its cause, the app is
// told. It is called exactly once a Call, and nothing of the Call is left
// behind it but deliveries.
func (c *Call) close(text string) {
	borrower := c.move.handover
	c.part()
	c.hangUpChildren(c.over)
	if c.party.leg != nil {
		c.party.leg.Hangup(c.over)
	}
	// A leg may still be handed to it when it has none.
	for c.party.leg != nil && c.party.gone == nil || len(c.children) > 0 || !c.inbox.close() {
		m, ok := c.inbox.take()
		if !ok {
			<-c.inbox.ready
			continue
		}
		c.handle(context.Background(), m)
	}
	c.awaitLender()
	c.end(text)
	close(c.ended)
	c.hangUpBorrower(borrower)
	c.returnParty()
	c.tellNext()
	if c.party.leg != nil {
		c.engine.unbind(c.party.leg)
	}
	c.engine.unregister(c)
}

func (c *Call) hangUpChildren(cause Cause) {
	for id := range c.children {
		c.hangUpChild(id, cause)
	}
}

// end writes the one terminal event.
func (c *Call) end(text string) {
	now := time.Now()
	c.record.State, c.record.Cause = StateEnded, c.over
	if c.record.EndedAt == nil { // else it ended with an earlier run of the server
		// Legs and targets may have taken a moment to go.
		c.record.EndedAt = &c.overAt
	}
	data := Data{Cause: c.over}
	if gone := c.party.gone; gone != nil {
		c.record.Media = &gone.Figures
		c.record.Trunk = cmp.Or(c.record.Trunk, c.party.leg.Info().Trunk)
		c.note(EventMedia, Data{Figures: gone.Figures}, "sound: %s", gone.Figures)
		if text == "" {
			text = gone.Text
		}
	}
	c.dropAhead("they never talked")
	line := string(c.over)
	if text != "" {
		line += ": " + text
	}
	own := c.record.Parent.IsZero()
	c.record.Settled = !own || !c.wantsEnd(Event{Call: c.record.ID, At: now, Kind: EventEnded, Data: data})
	ended := c.save(EventEnded, data, "%s", line)
	if c.parent != nil {
		c.parent.put(childEnded{Child: c.record.ID, Cause: c.over, Text: line, To: c.line.sentTo})
	}
	if !c.record.Settled {
		c.tellEnd(ended)
	}
	c.log.Info("call ended", "direction", c.record.Direction, "from", c.record.From.String(), "to", c.record.To.String(),
		"cause", c.over, "why", text, "lasted", c.record.EndedAt.Sub(c.record.StartedAt).Round(time.Millisecond))
}
