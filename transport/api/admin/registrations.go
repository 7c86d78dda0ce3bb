// SPDX-License-Identifier: MIT

package admin

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/api"
)

// registration is a place where a user's phone can be rung.
type registration struct {
	Account string    `json:"account"`
	User    string    `json:"user"`
	Contact string    `json:"contact"`
	Source  string    `json:"source"`
	Agent   *string   `json:"agent"`
	Node    *string   `json:"node"`
	Expires time.Time `json:"expires"`
}

// listRegistrations is GET /registrations?account=&user=, by account, user and
// contact.
func (f *Face) listRegistrations(c echo.Context) error {
	query, err := queryOf(c)
	if err != nil {
		return err
	}
	list := []registration{}
	for _, r := range f.config.Registrations.Registrations() {
		if query.Has("account") && r.Account != query.Get("account") || query.Has("user") && r.User != query.Get("user") {
			continue
		}
		list = append(list, registrationOf(r))
	}
	slices.SortFunc(list, func(a, b registration) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.User, b.User), cmp.Compare(a.Contact, b.Contact))
	})
	return api.JSON(c, http.StatusOK, map[string]any{"registrations": list})
}

func registrationOf(r directory.Registration) registration {
	return registration{
		Account: r.Account, User: r.User, Contact: r.Contact, Source: r.Source,
		Agent: present(r.Agent), Node: present(r.Node), Expires: r.Expires.UTC(),
	}
}
