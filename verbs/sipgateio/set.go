// SPDX-License-Identifier: MIT

package sipgateio

import (
	"github.com/beevik/etree"

	"github.com/callwright/callwright/directory"
)

// shown is whom a <Set> has the targets of a <Dial> see.
type shown struct {
	callerID  *directory.Address
	anonymous *bool
	// set is the element, used says that a <Dial> stands behind it.
	set  *etree.Element
	used bool
}

// set reads <Set><CallerId>, which sipgate.io knows and never documented: it holds
// <Number> or <Anonymous/>, and is for every <Dial> behind it that does not say
// otherwise.
func (p *parser) set(e *etree.Element) {
	p.attributes(e)
	p.children(e, child{name: "CallerId", read: func(id *etree.Element) {
		p.attributes(id)
		p.children(id, child{name: "Number", read: func(n *etree.Element) {
			text, _ := p.leaf(n)
			if from, ok := p.number(n, "", text); ok {
				p.shown = shown{callerID: &from, set: e}
			}
		}}, child{name: "Anonymous", read: func(a *etree.Element) {
			p.attributes(a)
			p.children(a)
			yes := true
			p.shown = shown{anonymous: &yes, set: e}
		}})
	}})
}

// settled complains about a <Set> that nothing comes of.
func (p *parser) settled() {
	if p.shown.set != nil && !p.shown.used {
		p.complain(p.shown.set, "", "<%.40s> has no effect: put a <Dial> behind it", p.shown.set.Tag)
	}
}
