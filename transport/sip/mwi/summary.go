// SPDX-License-Identifier: MIT

package mwi

import (
	"fmt"
	"strings"
)

// Event is the event package, and bodyType the type of what it tells.
const (
	Event    = "message-summary"
	bodyType = "application/simple-message-summary"
)

// counts are how many messages wait; unknown if they could not be counted.
type counts struct {
	known          bool
	unheard, heard int
}

// summary is the body of a NOTIFY (RFC 3842 section 5.2). Nothing is urgent.
func (c counts) summary(account string) []byte {
	waiting := "no"
	if c.unheard > 0 {
		waiting = "yes"
	}
	return fmt.Appendf(nil, "Messages-Waiting: %s\r\nMessage-Account: %s\r\nVoice-Message: %d/%d (0/0)\r\n", waiting, account, c.unheard, c.heard)
}

// place is a SIP URI without its parameters, as it is the same in all that a phone
// says of itself.
func place(uri string) string {
	user, host, ok := strings.Cut(uri, "@")
	if !ok {
		scheme, rest, _ := strings.Cut(uri, ":")
		user, host = scheme+":", rest
	}
	host, _, _ = strings.Cut(host, ";")
	host, _, _ = strings.Cut(host, "?")
	if ok {
		user += "@"
	}
	return user + strings.ToLower(host)
}
