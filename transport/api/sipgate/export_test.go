// SPDX-License-Identifier: MIT

package sipgate

import (
	"net/url"

	"github.com/callwright/callwright/engine"
)

// Allows lets tests ask a link without a server.
func Allows(l *Links, account string, id engine.ID, query string) bool {
	values, err := url.ParseQuery(query)
	return err == nil && l.allows(account, id, values)
}
