// SPDX-License-Identifier: MIT

package engine

import (
	"slices"
	"strings"
)

// listed says whether an App is asked and told about a call of these Users, that
// came to this Number or to none.
func (d *Directory) listed(a App, users []User, n Number) bool {
	if a.Whitelist == nil {
		return true
	}
	parties := slices.Clone(n.Groups)
	for _, u := range slices.Concat(users, d.UsersOf(n)) {
		parties = append(parties, u.ID)
		if line, ok := strings.CutPrefix(u.ID, "w"); ok {
			parties = append(parties, "p"+line)
		}
	}
	return slices.ContainsFunc(a.Whitelist, func(id string) bool { return slices.Contains(parties, id) })
}

// leaveOut has an App hear nothing of a call that its whitelist does not name, and
// says whether it is so.
func (c *Call) leaveOut() bool {
	if c.engine.directory.listed(c.app.App, c.called.users, c.called.number) {
		return false
	}
	c.app.EventsURL = ""
	c.note(EventRequest, Data{}, "app %q is not asked: its whitelist names no user or group of this call", c.record.App)
	return true
}
