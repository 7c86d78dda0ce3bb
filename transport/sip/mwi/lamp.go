// SPDX-License-Identifier: MIT

package mwi

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/sip/dialog"
)

// Watcher is a phone that can be notified. *dialog.Watcher is one.
type Watcher interface {
	// Notify sends a NOTIFY, and does not wait; done is told what came of it, from
	// another goroutine.
	Notify(ctx context.Context, body []byte, done func(dialog.Reply), headers ...dialog.Header)
	// Forget ends it.
	Forget()
}

// Reasons for which a subscription ends (RFC 6665 section 4.1.3).
const (
	reasonTimeout  = "timeout"                         // nobody has refreshed it
	reasonGone     = "noresource"                      // there is nothing to watch any more
	reasonShutdown = "probation;retry-after=5"         // we are soon back
	unasked        = "terminated;reason=" + reasonGone // there is no subscription
)

// lamp is what a phone shows. Lamps.mu guards it.
type lamp struct {
	owner   owner
	watcher Watcher
	account string // what its messages are named after
	// contact and source are where the phone is; source is none behind a proxy.
	contact string
	source  netip.AddrPort
	// expires is when its subscription does; it has none if that is zero. ends is
	// why it ends with the next NOTIFY.
	expires time.Time
	ends    string
	// wanted says that it must be told, whatever else, and shown what it is told.
	wanted bool
	shown  counts
	// busy says that a NOTIFY has no answer yet, and due that another must follow.
	busy, due bool
}

// lives says whether it is a subscription that goes on.
func (p *lamp) lives() bool { return !p.expires.IsZero() && p.ends == "" }

// is says whether it is the lamp of a phone that is registered.
func (p *lamp) is(r directory.Registration) bool {
	return p.contact == place(r.Contact) || p.source.IsValid() && p.source.String() == address(r)
}

// show tells a phone the counts, or those that it was told last. One NOTIFY follows
// the other; what changes meanwhile is told in one. l.mu is held.
func (l *Lamps) show(p *lamp, c counts) {
	p.wanted, p.due = false, true
	if c.known {
		p.shown = c
	}
	if !p.busy {
		l.notify(p)
	}
}

// notify sends what is due. l.mu is held.
func (l *Lamps) notify(p *lamp) {
	p.due, p.busy = false, true
	l.flying++
	state := unasked
	switch {
	case p.ends != "":
		state = "terminated;reason=" + p.ends
	case !p.expires.IsZero():
		state = "active;expires=" + seconds(max(time.Until(p.expires), 0))
	}
	headers := []dialog.Header{{Name: "Subscription-State", Value: state}}
	var body []byte
	if p.shown.known {
		headers = append(headers, dialog.Header{Name: "Content-Type", Value: bodyType})
		body = p.shown.summary(p.account)
	}
	last := p.ends != ""
	p.watcher.Notify(l.ctx, body, func(r dialog.Reply) { l.answered(p, last, r) }, headers...)
}

// answered takes what came of a NOTIFY; last is for one that has said so.
func (l *Lamps) answered(p *lamp, last bool, r dialog.Reply) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.busy = false
	l.goOn(p, last, r)
	if l.flying--; l.flying == 0 && l.closed {
		close(l.landed)
	}
}

// goOn does what follows a NOTIFY: another, or nothing. l.mu is held.
func (l *Lamps) goOn(p *lamp, last bool, r dialog.Reply) {
	lived := p.lives()
	switch {
	case r.OK() && !last && p.due:
		l.notify(p)
		return
	case r.OK() && !last && (p.wanted || lived):
		return
	case !r.OK() && !last:
		level := slog.LevelInfo
		if p.expires.IsZero() { // it has not asked
			level = slog.LevelDebug
		}
		l.cfg.Log.Log(l.ctx, level, "a phone did not take that messages wait", "user", p.owner.user, "contact", p.contact,
			"peer", r.Peer, "reason", r.Reason)
	}
	l.drop(p)
	if lived && p.shown.known { // it may still be there, and not know of its subscription any more
		l.want(p.owner, p.shown, func(j *job) { j.contacts = append(j.contacts, p.contact) })
	}
}

// drop forgets a phone. l.mu is held.
func (l *Lamps) drop(p *lamp) {
	p.watcher.Forget()
	delete(l.watched, p.watcher)
	rest := slices.DeleteFunc(l.lamps[p.owner], func(other *lamp) bool { return other == p })
	if l.lamps[p.owner] = rest; len(rest) == 0 {
		delete(l.lamps, p.owner)
	}
}

// end has a subscription end with a last NOTIFY, of what was told before. l.mu is
// held.
func (l *Lamps) end(p *lamp, reason string) {
	p.ends = reason
	l.show(p, p.shown)
}

// seconds writes a time in whole seconds, rounded up.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
