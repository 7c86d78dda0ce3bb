// SPDX-License-Identifier: MIT

package directory

import "time"

// Registration is one place where a User's phone said that it can be rung (a
// binding of RFC 3261 section 10).
type Registration struct {
	Account string `json:"account"`
	User    string `json:"user"`
	// Contact is the URI that the phone gave; it names the Registration among
	// those of the User.
	Contact string `json:"contact"`
	// Source is where the REGISTER came from, "udp:192.0.2.1:5060", and where
	// the phone is rung: behind a NAT its Contact leads nowhere.
	Source string `json:"source"`
	// CallID and CSeq are those of the last REGISTER: one that is not newer
	// changes nothing (RFC 3261 section 10.3).
	CallID string `json:"call_id"`
	CSeq   uint32 `json:"cseq"`
	// Agent is what the phone calls itself (User-Agent).
	Agent string `json:"agent,omitempty"`
	// Node is the machine that the phone is connected to.
	Node    string    `json:"node,omitempty"`
	Expires time.Time `json:"expires"`
}
