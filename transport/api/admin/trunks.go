// SPDX-License-Identifier: MIT

package admin

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/api"
)

// Trunks know how the trunks do.
type Trunks interface {
	Trunks() []directory.TrunkStatus
}

// trunkStatus is how a trunk does at the moment.
type trunkStatus struct {
	Account         string     `json:"account"`
	Name            string     `json:"name"`
	Healthy         bool       `json:"healthy"`
	Calls           int        `json:"calls"`
	RegisteredUntil *time.Time `json:"registered_until"`
	Error           *string    `json:"error"`
}

// showTrunkStatus is GET /trunks/{name}/status?account=.
func (f *Face) showTrunkStatus(o *objects) echo.HandlerFunc {
	return func(c echo.Context) error {
		id, _, err := o.named(c)
		if err != nil {
			return err
		}
		for _, t := range f.config.Trunks.Trunks() {
			if t.Account != id.Account || t.Name != id.ID {
				continue
			}
			status := trunkStatus{Account: t.Account, Name: t.Name, Healthy: t.Healthy, Calls: t.Calls, Error: present(t.Error)}
			if !t.RegisteredUntil.IsZero() {
				until := t.RegisteredUntil.UTC()
				status.RegisteredUntil = &until
			}
			return api.JSON(c, http.StatusOK, status)
		}
		return o.missing(id)
	}
}
