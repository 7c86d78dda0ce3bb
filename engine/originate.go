// SPDX-License-Identifier: MIT

package engine

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
