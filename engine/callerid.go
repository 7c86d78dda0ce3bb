// SPDX-License-Identifier: MIT

package engine

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/callwright/callwright/directory"
)

// ShownAs gives the party that targets are shown: id, else who the call is from (a
// User by its number); withheld or not as anonymous says, else as the caller has it.
// With Limits.OwnCallerIDs an id that is no number of the account is not shown, and
// complained about.
func (c *Call) ShownAs(id *directory.Address, anonymous *bool) directory.Address {
	if anonymous != nil && *anonymous {
		return directory.Anonymous()
	}
	switch {
	case id != nil && c.mayShow(*id):
		return *id
	case anonymous != nil && c.record.Direction == Out && c.record.From.Kind == directory.KindAnonymous:
		return c.engine.directory.Shown(c.user())
	}
	return cmp.Or(c.called.shown, c.record.From)
}

// mayShow says whether a number may be shown, and complains if not.
func (c *Call) mayShow(id directory.Address) bool {
	d, account := c.engine.directory, c.record.Account
	if !c.engine.guard.limits.OwnCallerIDs {
		return true
	}
	if _, ok := d.OwnNumber(account, id.Value); ok {
		return true
	}
	own := "it has none"
	if numbers := d.NumbersOf(account); len(numbers) > 0 {
		own = "it has " + strings.Join(numbers, ", ")
	}
	c.Complain(Problem{Element: "Dial", Attribute: "callerId", Sentence: fmt.Sprintf(
		"%s is no number of the account, and the call is shown as %s instead: write one of its numbers (%s)", id, c.record.From, own)})
	return false
}
