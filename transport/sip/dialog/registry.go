// SPDX-License-Identifier: MIT

package dialog

import "sync"

// registry finds dialogs.
type registry struct {
	mu sync.Mutex
	// tags has every dialog by our tag.
	tags map[string]*Dialog
	// invites has those whose INVITE is not settled yet by what identifies it,
	// so that a repetition finds it without its transaction.
	invites map[string]*Dialog
	closed  bool
}

func newRegistry() *registry {
	return &registry{tags: map[string]*Dialog{}, invites: map[string]*Dialog{}}
}

// add says false if the endpoint was closed.
func (r *registry) add(d *Dialog, invite string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.tags[d.tag] = d
	if invite != "" {
		r.invites[invite] = d
	}
	return true
}

func (r *registry) remove(d *Dialog) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.tags, d.tag)
}

func (r *registry) settle(invite string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.invites, invite)
}

// find gives the dialog with our tag and the Call-ID, or nil.
func (r *registry) find(tag, callID string) *Dialog {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := r.tags[tag]; d != nil && d.callID == callID {
		return d
	}
	return nil
}

func (r *registry) invited(invite string) *Dialog {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.invites[invite]
}

// close lets no more dialogs in and gives those that are there.
func (r *registry) close() []*Dialog {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	all := make([]*Dialog, 0, len(r.tags))
	for _, d := range r.tags {
		all = append(all, d)
	}
	return all
}
