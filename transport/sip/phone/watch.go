// SPDX-License-Identifier: MIT

package phone

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/callwright/callwright/transport/sip/dialog"
)

// messageSummary is the event package of waiting messages (RFC 3842).
const messageSummary = "message-summary"

// Subscription is what a phone has asked to be notified of: the messages that wait
// for a user.
type Subscription struct{ asker *dialog.Asker }

// Notification is what a phone was told by NOTIFY.
type Notification struct {
	dialog.Request
	Body string
}

// Subscribe makes a Subscription to the messages of the phone's user at a server,
// in its dialog with whom r names. Refresh begins it.
func (p *Phone) Subscribe(r Registration) (*Subscription, error) {
	host, _, _ := strings.Cut(strings.TrimPrefix(r.To, "sip:"), ";")
	if _, after, ok := strings.Cut(host, "@"); ok {
		host = after
	}
	asker, err := p.endpoint.Asker(dialog.Asking{
		To: r.To, User: "sip:" + dialog.EscapeUser(p.cfg.User) + "@" + host, Username: r.Username, Password: r.Password,
		TLS: p.cfg.TLS,
	})
	if err != nil {
		return nil, fmt.Errorf("phone %s: %w", p.cfg.User, err)
	}
	return &Subscription{asker}, nil
}

// Refresh begins the subscription, has it last for some seconds more, or with 0
// ends it, and gives the answer. The headers go with the SUBSCRIBE.
func (s *Subscription) Refresh(expires int, headers ...dialog.Header) (dialog.Response, error) {
	answer, err := s.asker.Subscribe(context.Background(), messageSummary, expires, headers...)
	if err != nil {
		return answer, fmt.Errorf("phone: subscribe: %w", err)
	}
	return answer, nil
}

// Notification waits for the next NOTIFY.
func (p *Phone) Notification(ctx context.Context) (Notification, error) {
	select {
	case n := <-p.notices:
		return n, nil
	case <-ctx.Done():
		return Notification{}, fmt.Errorf("phone: %s was not notified: %w", p.cfg.User, context.Cause(ctx))
	}
}

// notified answers a NOTIFY, whatever it is about.
func (p *Phone) notified(r dialog.Request, body []byte) dialog.Response {
	select {
	case p.notices <- Notification{r, string(body)}:
	default: // nobody looks
	}
	return dialog.Response{Status: cmp.Or(p.cfg.NotifyStatus, 200), Phrase: "Notified"}
}
