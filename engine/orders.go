// SPDX-License-Identifier: MIT

package engine

// TransferOrder says where the other side of an account's User in a call goes.
type TransferOrder struct {
	// To is a number, or a user or group of the account.
	To string
	// Attended has the User talk to whoever is there first; the transfer is when
	// the User hangs up.
	Attended bool
	// CallerID is the number that is shown to whoever is there; empty is that of the
	// party that is transferred or, attended, of the User.
	CallerID string
}

// Origination is a call that an API begins: the caller's phones ring first.
type Origination struct {
	Account string
	// Caller is the User whose phones they are.
	Caller Address
	// Callee is the number, user or group that is called when one is picked up.
	Callee string
	// CallerID is the number that the callee is shown; empty is the User's.
	CallerID string
	// Program is what the caller hears instead of ringing a callee.
	Program Program
}
