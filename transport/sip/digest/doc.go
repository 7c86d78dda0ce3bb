// SPDX-License-Identifier: MIT

// Package digest is the asking side of SIP digest authentication (RFC 3261
// section 22, RFC 7616, RFC 8760): it words challenges, checks what answers
// them, and counts who guesses.
//
// Nonces carry their own time and signature, so that nobody can fill our memory
// by asking for them; only one that somebody answered rightly is remembered, so
// that it cannot be replayed. They are good for the source that asked for them.
//
// It never sends anything and knows no user: whoever uses it gives passwords and
// answers requests. Calls of ours that are challenged are dialog's.
//
// Read verifier.go first, then nonce.go; throttle.go counts wrong guesses.
package digest
