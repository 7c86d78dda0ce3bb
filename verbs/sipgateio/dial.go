// SPDX-License-Identifier: MIT

package sipgateio

import (
	"cmp"
	"time"

	"github.com/beevik/etree"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/verbs"
)

// maxTargets is how many numbers one Dial rings.
const maxTargets = 5

// longest is how many milliseconds anything may be waited for. It is ours: what is
// beyond is a slip, and would hold a call for hours.
const longest = 3_600_000

// dial reads <Dial callerId anonymous>, which holds one to five <Number>, or one
// <Voicemail>.
func (p *parser) dial(e *etree.Element) {
	complained := len(p.problems)
	v := p.dialAttributes(e)
	inAttributes := len(p.problems) - complained
	var mailbox *etree.Element
	var box string // whose it is, if it says so
	p.children(e, child{name: "Number", read: func(n *etree.Element) {
		if to, ok := p.target(n, v); ok {
			v.Targets = append(v.Targets, to)
		}
	}}, child{name: "Voicemail", read: func(n *etree.Element) {
		mailbox, box = n, p.attributes(n, "userId")["userId"]
		p.children(n)
	}})
	switch {
	case mailbox != nil && len(v.Targets) > 0:
		p.complain(mailbox, "", "<%.40s> is left out, because <%.40s> rings numbers: give it a <%.40s> of its own", mailbox.Tag, e.Tag, e.Tag)
		fallthrough
	case len(v.Targets) > 0:
		p.run(e, v, v.OnNoAnswer != "")
	case mailbox != nil:
		p.run(e, verbs.Voicemail{Box: box}, true)
	case len(p.problems) == complained+inAttributes:
		p.complain(e, "", "<%.40s> rings nobody: put a <Number> into it, for example <Number>4915799912345</Number>", e.Tag)
	}
}

// dialAttributes reads the attributes of <Dial>, of which timeout and onNoAnswer
// are extensions.
func (p *parser) dialAttributes(e *etree.Element) verbs.Dial {
	attributes := p.attributes(e, "callerId", "anonymous", "timeout", "onNoAnswer")
	v := verbs.Dial{CallerID: p.shown.callerID, Anonymous: p.shown.anonymous, RingTime: p.millis(e, "timeout", attributes, 1)}
	p.shown.used = true
	if value, ok := attributes["callerId"]; ok {
		if from, ok := p.number(e, "callerId", value); ok {
			v.CallerID = &from
		}
	}
	if value, ok := attributes["anonymous"]; ok {
		v.Anonymous = p.anonymous(e, value)
	}
	if value, ok := attributes["onNoAnswer"]; ok && p.absolute(e, "onNoAnswer", value) {
		v.OnNoAnswer = value
	}
	return v
}

// target reads a <Number> of a Dial, as long as there are not as many as may be.
// Its delay and timeout are extensions.
func (p *parser) target(e *etree.Element, in verbs.Dial) (engine.Target, bool) {
	text, attributes := p.leaf(e, "delay", "timeout")
	to, ok := p.number(e, "", text)
	switch before := len(in.Targets); {
	case !ok:
		return engine.Target{}, false
	case before > 0 && p.outgoing:
		p.complain(e, "", "%s is not rung: a call that a user makes can be sent to one number only, keep the first", to)
		return engine.Target{}, false
	case before >= maxTargets:
		p.complain(e, "", "%s is not rung: a <Dial> rings up to %d numbers, leave out the others", to, maxTargets)
		return engine.Target{}, false
	}
	t := engine.Target{Address: to, Delay: p.millis(e, "delay", attributes, 0), Timeout: p.millis(e, "timeout", attributes, 1)}
	if all := cmp.Or(in.RingTime, engine.DefaultRingTime); t.Delay >= all {
		p.complain(e, "delay", "%d ms is not before the end of the <Dial>, which rings for %d ms: "+
			"the number is rung only if no other rings any more; give <Dial> a longer timeout", t.Delay.Milliseconds(), all.Milliseconds())
	}
	return t, true
}

// millis reads how long something takes, from some milliseconds on; 0 is not
// given.
func (p *parser) millis(e *etree.Element, name string, attributes map[string]string, least int) time.Duration {
	return time.Duration(p.integer(e, name, attributes, limits{least: least, greatest: longest})) * time.Millisecond
}
