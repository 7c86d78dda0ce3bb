// SPDX-License-Identifier: MIT

// Package nearest finds the known word that was probably meant by an unknown
// one, for complaints that say "did you mean".
package nearest
