// SPDX-License-Identifier: MIT

package phone

import (
	"context"
	"fmt"
	"strings"

	"github.com/callwright/callwright/transport/sip/dialog"
)

// Registration says how a phone registers.
type Registration struct {
	// To is the registrar: "sip:192.0.2.1:5060".
	To                 string
	Username, Password string
	// Contacts are given in place of the phone's own address.
	Contacts []string
	// Expires is for how many seconds; 0 takes the contacts back.
	Expires int
}

// Register tells a registrar where the phone is, and gives the answer. From then
// on the phone is called by whoever asks the registrar.
func (p *Phone) Register(r Registration) (dialog.Response, error) {
	if len(r.Contacts) == 0 {
		r.Contacts = []string{"<" + p.URI() + ">"}
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(r.To, "sip:"), ";")
	asker, err := p.endpoint.Asker(dialog.Asking{
		To: r.To, User: "sip:" + dialog.EscapeUser(p.cfg.User) + "@" + host, Username: r.Username, Password: r.Password,
		TLS: p.cfg.TLS,
	})
	if err != nil {
		return dialog.Response{}, fmt.Errorf("phone %s: %w", p.cfg.User, err)
	}
	answer, err := asker.Register(context.Background(), r.Contacts, r.Expires)
	if err != nil {
		return answer, fmt.Errorf("phone %s: %w", p.cfg.User, err)
	}
	return answer, nil
}
