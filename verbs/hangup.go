// SPDX-License-Identifier: MIT

package verbs

// Hangup ends the call: one that was answered is hung up, one that was not is
// refused.
type Hangup struct{}
