// SPDX-License-Identifier: MIT

package sipgateio

import (
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/verbs"
)

// maxNumber is the most digits of an E.164 number (ITU-T E.164 section 6).
const maxNumber = 15

// number reads a telephone number, with or without a plus.
func (p *parser) number(e *etree.Element, attribute, value string) (directory.Address, bool) {
	a := directory.NumberAddress(value)
	what := "<" + e.Tag + ">"
	if attribute != "" {
		what = attribute
	}
	switch {
	case value == "":
		p.complain(e, attribute, "%s is empty: write a number with its country code, for example 4915799912345", what)
	case !directory.IsNumber(value):
		p.complain(e, attribute, "%.60q is not a telephone number: write digits with the country code, for example 4915799912345", value)
	case len(strings.TrimPrefix(a.Value, "+")) > maxNumber:
		p.complain(e, attribute, "%.60q has more than the %d digits of a telephone number: write one number in each %s", value, maxNumber, what)
	default:
		return a, true
	}
	return directory.Address{}, false
}

// anonymous reads @anonymous; nil is as the account has it. The official client
// writes "undefined" for that.
func (p *parser) anonymous(e *etree.Element, value string) *bool {
	yes := strings.EqualFold(value, "true")
	if !yes && !strings.EqualFold(value, "false") {
		if value != "undefined" {
			p.complain(e, "anonymous", "anonymous=%.40q is neither true nor false: write one of them, or leave it out", value)
		}
		return nil
	}
	return &yes
}

// play reads <Play><Url>.
func (p *parser) play(e *etree.Element) {
	if v, ok := p.sound(e); ok {
		p.run(e, v, false)
	}
}

// sound reads a <Play>, also one in <Gather>.
func (p *parser) sound(e *etree.Element) (v verbs.Play, ok bool) {
	p.attributes(e)
	seen := false
	complained := len(p.problems)
	p.children(e, child{name: "Url", read: func(u *etree.Element) {
		if seen {
			p.complain(u, "", "<%.40s> plays one <%.40s>: write a <%.40s> for each", e.Tag, u.Tag, e.Tag)
			return
		}
		seen = true
		v.URL, _ = p.leaf(u)
		ok = isTone(v.URL) || p.absolute(u, "", v.URL)
	}})
	if !seen && len(p.problems) == complained {
		p.complain(e, "", "<%.40s> has no sound: put its URL into it, for example <Url>http://example.com/example.wav</Url>", e.Tag)
	}
	return v, ok
}

// isTone says whether a URL names a tone of ours, like tone:busy. sipgate.io
// knows none; which there are is said when one is played.
func isTone(url string) bool {
	name, found := strings.CutPrefix(url, "tone:")
	return found && name != ""
}

// gather reads <Gather onData maxDigits timeout type>, which may hold <Play> and
// <Say>.
func (p *parser) gather(e *etree.Element) {
	attributes := p.attributes(e, "onData", "maxDigits", "timeout", "type")
	if value, ok := attributes["type"]; ok && !strings.EqualFold(value, dtmf) {
		p.complain(e, "type", "type=%.40q is not known, and dtmf is taken: write dtmf, or leave it out", value)
	}
	digits := p.integer(e, "maxDigits", attributes, limits{least: 1, greatest: 1000, otherwise: 1})
	millis := p.integer(e, "timeout", attributes, limits{greatest: longest, otherwise: 2000})
	v := verbs.Gather{OnData: attributes["onData"], MaxDigits: digits, Timeout: time.Duration(millis) * time.Millisecond}
	p.children(e, child{name: "Play", read: func(c *etree.Element) {
		if prompt, ok := p.sound(c); ok {
			v.Prompts = append(v.Prompts, prompt)
		}
	}}, child{name: "Say", read: func(c *etree.Element) {
		if prompt, ok := p.speech(c); ok {
			v.Prompts = append(v.Prompts, prompt)
		}
	}})
	if _, ok := attributes["onData"]; !ok {
		p.complain(e, "onData", "<%.40s> does not say where the digits go: give it onData with an absolute URL", e.Tag)
	} else if p.absolute(e, "onData", v.OnData) {
		p.run(e, v, true)
	}
}

// limits are what a whole number may be, and what it is otherwise; that is below
// least where it is then as if it were not given.
type limits struct{ least, greatest, otherwise int }

// integer reads a whole number; one that is too great counts as the greatest,
// one that cannot be read as not given.
func (p *parser) integer(e *etree.Element, name string, attributes map[string]string, l limits) int {
	value, ok := attributes[name]
	if !ok {
		return l.otherwise
	}
	n, err := strconv.Atoi(value)
	switch {
	case err == nil && n > l.greatest:
		p.complain(e, name, "%s=%q is too great: %d is taken, write a number up to that", name, value, l.greatest)
		return l.greatest
	case err == nil && n >= l.least:
		return n
	case l.otherwise < l.least:
		p.complain(e, name, "%s=%.40q is not a whole number from %d to %d, and is not read: write the number in digits", name, value, l.least, l.greatest)
	default:
		p.complain(e, name, "%s=%.40q is not a whole number from %d to %d: %d is taken, write the number in digits", name, value, l.least, l.greatest, l.otherwise)
	}
	return l.otherwise
}

// reject reads <Reject reason>.
func (p *parser) reject(e *etree.Element) {
	v := verbs.Reject{Cause: engine.CauseRejected}
	reason, ok := p.attributes(e, "reason")["reason"]
	switch {
	case strings.EqualFold(reason, "busy"):
		v.Cause = engine.CauseBusy
	case ok && !strings.EqualFold(reason, "rejected"):
		p.complain(e, "reason", "reason=%.40q is not known, and rejected is taken: %s", reason, nameAdvice(reason, []string{"rejected", "busy"}))
	}
	p.children(e)
	p.run(e, v, true)
}

// hangup reads <Hangup>.
func (p *parser) hangup(e *etree.Element) {
	p.attributes(e)
	p.children(e)
	p.run(e, verbs.Hangup{}, true)
}
