// SPDX-License-Identifier: MIT

package engine

// Call is one controlled party and its record.
type Call struct{}
