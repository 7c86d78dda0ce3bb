// SPDX-License-Identifier: MIT

package engine

import (
	"sync"

	"github.com/callwright/callwright/directory"
)

// key names a User of an account, or a box.
type key struct{ account, id string }

// busy knows which Users are in a call: those who made one, and those who picked
// one up.
type busy struct {
	directory *directory.Directory

	mu    sync.Mutex
	calls map[ID]key
	users map[key]int
}

// begin says that a User, if it is one, is in a call until that ends.
func (b *busy) begin(call ID, account, user string) {
	if user == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k := key{account, user}
	b.calls[call] = k
	b.users[k]++
}

// move says that who is in one call is in another instead.
func (b *busy) move(from, to ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if k, ok := b.calls[from]; ok {
		delete(b.calls, from)
		b.calls[to] = k
	}
}

// end says that a call is over, whoever was in it.
func (b *busy) end(call ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k, ok := b.calls[call]
	if !ok {
		return
	}
	delete(b.calls, call)
	if b.users[k]--; b.users[k] == 0 {
		delete(b.users, k)
	}
}

// is says whether a party is a User who is not rung while it is in a call.
func (b *busy) is(account string, a directory.Address) bool {
	u, ok := b.directory.User(account, userID(a))
	if !ok || !u.BusyOnBusy {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.users[key{account, u.ID}] > 0
}
