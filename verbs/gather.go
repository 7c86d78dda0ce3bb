// SPDX-License-Identifier: MIT

package verbs

import "time"

// Gather collects digits that the party presses, and asks the app what to do
// about them. It ends when MaxDigits were pressed or none came for Timeout.
//
//	attribute  default  known to
//	OnData     -        sipgateio @onData
//	MaxDigits  1        sipgateio @maxDigits
//	Timeout    2 s      sipgateio @timeout; the wait for the first and for each further digit
//	Prompts    none     sipgateio <Play>; the first digit stops them, Timeout counts from their end
type Gather struct {
	OnData    string
	MaxDigits int
	Timeout   time.Duration
	Prompts   []Play
}
