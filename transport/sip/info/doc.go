// SPDX-License-Identifier: MIT

// Package info reads and writes a key in the body of a SIP INFO request (RFC
// 6086), in the two forms that telephones use. Neither was ever a standard:
//
//   - application/dtmf-relay: "Signal=5" and "Duration=160", in milliseconds;
//   - application/dtmf: the key itself, "5".
//
// It knows no dialog and no call. Read info.go first.
package info
