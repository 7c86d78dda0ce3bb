// SPDX-License-Identifier: MIT

package engine

import "time"

// TrunkStatus is how a Trunk does at the moment.
type TrunkStatus struct {
	Account, Name string
	// Healthy says that calls are sent to it, as far as OPTIONS and its own
	// refusals tell.
	Healthy bool
	// Calls is how many it carries, both ways.
	Calls int
	// RegisteredUntil is how long the other side knows us, if it is one that we
	// register with; zero if it does not. Error is why the last registration failed
	// or, if it did not, why the trunk is not healthy.
	RegisteredUntil time.Time
	Error           string
}
