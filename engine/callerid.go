// SPDX-License-Identifier: MIT

package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// ShownAs gives the party that targets are shown: id, else who the call is from (a
// User by its number); withheld or not as anonymous says, else as the caller has it.
// With Limits.OwnCallerIDs an id that is no number of the account is not shown, and
// complained about.
func (c *Call) ShownAs(id *Address, anonymous *bool) Address {
	if anonymous != nil && *anonymous {
		return Anonymous()
	}
	switch {
	case id != nil && c.mayShow(*id):
		return *id
	case anonymous != nil && c.record.Direction == Out && c.record.From.Kind == KindAnonymous:
		return c.engine.directory.shown(c.user())
	}
	return cmp.Or(c.called.shown, c.record.From)
}

// mayShow says whether a number may be shown, and complains if not.
func (c *Call) mayShow(id Address) bool {
	directory, account := c.engine.directory, c.record.Account
	if !c.engine.guard.limits.OwnCallerIDs {
		return true
	}
	if _, ok := directory.own(account, id.Value); ok {
		return true
	}
	own := "it has none"
	if numbers := directory.NumbersOf(account); len(numbers) > 0 {
		own = "it has " + strings.Join(numbers, ", ")
	}
	c.Complain(Problem{Element: "Dial", Attribute: "callerId", Sentence: fmt.Sprintf(
		"%s is no number of the account, and the call is shown as %s instead: write one of its numbers (%s)", id, c.record.From, own)})
	return false
}

// mostNumbers is how many numbers a sentence names.
const mostNumbers = 10

// NumbersOf names the first numbers of an account, patterns too but for that of
// everything.
func (d *Directory) NumbersOf(account string) []string {
	now := d.now.Load()
	var numbers []string
	for k := range now.exact {
		if k.account == account {
			numbers = append(numbers, k.id)
		}
	}
	for _, p := range now.patterns[account] {
		if p.Number != "*" {
			numbers = append(numbers, p.Number)
		}
	}
	slices.Sort(numbers)
	if len(numbers) > mostNumbers {
		numbers = append(numbers[:mostNumbers], "…")
	}
	return numbers
}
