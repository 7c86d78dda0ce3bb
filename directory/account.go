// SPDX-License-Identifier: MIT

package directory

// DefaultAccount is the one implicit account: the operator's own, to whom
// everything belongs that names no other.
const DefaultAccount = "default"

// Account is a tenant. What belongs to one is not seen by another.
type Account struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// EntryID is that of Entry.
func (a Account) EntryID() EntryID { return EntryID{EntryAccount, "", a.ID} }

func (a Account) check() *EntryError {
	return a.EntryID().named("id", "others name the account by it")
}

// owner sees that the account of an entry is there.
func (x *index) owner(n EntryID, account string) *EntryError {
	if _, ok := x.accounts[account]; !ok {
		return n.wrong("account", "names account %q, which is not configured", account)
	}
	return nil
}
