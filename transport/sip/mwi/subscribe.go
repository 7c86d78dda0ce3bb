// SPDX-License-Identifier: MIT

package mwi

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/sip/dialog"
)

// Subscribe carries out a SUBSCRIBE of a user's phone, which begins, refreshes or
// ends that of w. The first NOTIFY follows. A refusal has its reason for the
// operator.
func (l *Lamps) Subscribe(u directory.User, w Watcher, r dialog.Request) dialog.Response {
	lasts, no := l.read(r)
	if no != nil {
		return *no
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	p, who := l.watched[w], owner{u.Account, u.ID}
	switch {
	case l.closed:
		return dialog.Response{Status: 503, Phrase: "Service Unavailable", Headers: []dialog.Header{{Name: "Retry-After", Value: retryAfter}}}
	case p == nil:
		if no := l.mayBegin(u, r); no != nil {
			return *no
		}
		p = &lamp{owner: who, watcher: w, account: place(r.To.URI)}
		l.watched[w] = p
		l.lamps[who] = append(l.lamps[who], p)
	case p.owner != who:
		return dialog.Response{Status: 403, Phrase: "Forbidden", Reason: fmt.Sprintf("%s refreshes a subscription of %s", u.ID, p.owner.user)}
	case p.ends != "":
		return dialog.Response{Status: 481, Phrase: "Subscription Does Not Exist"}
	}
	if contacts := dialog.ParseParties(r.Header("Contact")); len(contacts) > 0 {
		p.contact = place(contacts[0].URI)
	}
	if r.Hop == r.Source {
		p.source = r.Source
	}
	p.expires, p.wanted = time.Now().Add(lasts), true
	if lasts == 0 {
		p.ends = reasonTimeout
	}
	l.spare(p)
	l.want(who, counts{}, nil)
	return dialog.Response{Status: 200, Phrase: "OK", Headers: []dialog.Header{{Name: "Expires", Value: seconds(lasts)}}}
}

// spare has a phone that subscribes not be told once more beside that: what it was
// told when it had not may still wait for its answer. l.mu is held.
func (l *Lamps) spare(p *lamp) {
	for _, other := range l.lamps[p.owner] {
		if other.expires.IsZero() && other.contact == p.contact {
			other.due = false
		}
	}
}

// retryAfter is how many seconds a phone should wait when there is no room.
const retryAfter = "60"

// mayBegin says why a user's phone may have no subscription. l.mu is held.
func (l *Lamps) mayBegin(u directory.User, r dialog.Request) *dialog.Response {
	if box := dialog.UserPart(r.URI); box != "" && box != u.Username && box != u.ID {
		return &dialog.Response{Status: 403, Phrase: "Users Watch Only Their Own Box", Reason: fmt.Sprintf(
			"%s wants to know of the messages of %q, and may only of its own; have the phone subscribe to sip:%s@ and our address", u.ID, box, u.Username)}
	}
	own, all := 0, len(l.watched)
	for _, p := range l.lamps[owner{u.Account, u.ID}] {
		if !p.expires.IsZero() {
			own++
		}
	}
	switch {
	case own >= l.cfg.MostOfOne:
		return &dialog.Response{Status: 403, Phrase: "Too Many Subscriptions", Reason: fmt.Sprintf(
			"%s has %d subscriptions, which is the most; it is told of messages where it is registered all the same", u.ID, own)}
	case all >= l.cfg.Most:
		return &dialog.Response{
			Status: 503, Phrase: "Service Unavailable", Headers: []dialog.Header{{Name: "Retry-After", Value: retryAfter}},
			Reason: fmt.Sprintf("there are %d subscriptions to messages, which is the most; phones are told where they are registered all the same", all),
		}
	}
	return nil
}

// read finds out for how long a phone wants to be told, or how to refuse it.
func (l *Lamps) read(r dialog.Request) (time.Duration, *dialog.Response) {
	if !accepts(r.Header("Accept")) {
		return 0, &dialog.Response{
			Status: 406, Phrase: "Not Acceptable", Headers: []dialog.Header{{Name: "Accept", Value: bodyType}},
			Reason: "it does not accept " + bodyType + ", and there is nothing else to be told of messages",
		}
	}
	lasts := l.cfg.Expires // also where it cannot be read
	if values := r.Header("Expires"); len(values) > 0 {
		if n, err := strconv.ParseUint(strings.TrimSpace(values[0]), 10, 32); err == nil {
			lasts = min(time.Duration(n)*time.Second, l.cfg.MaxExpires)
		}
	}
	if 0 < lasts && lasts < l.cfg.MinExpires {
		return 0, &dialog.Response{Status: 423, Phrase: "Interval Too Brief", Headers: []dialog.Header{
			{Name: "Min-Expires", Value: seconds(l.cfg.MinExpires)},
		}}
	}
	return lasts, nil
}

// accepts says whether what we tell may be told; no Accept means yes (RFC 3842
// section 3.3).
func accepts(values []string) bool {
	none := true
	for kind := range strings.SplitSeq(strings.Join(values, ","), ",") {
		kind, _, _ = strings.Cut(kind, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case bodyType, "application/*", "*/*":
			return true
		case "":
		default:
			none = false
		}
	}
	return none
}
