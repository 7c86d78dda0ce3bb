// SPDX-License-Identifier: MIT

package verbs

// Play lets the party hear a sound file. A file that cannot be played is a
// problem on the timeline, and the program goes on.
//
//	attribute  default  known to
//	URL        -        sipgateio <Play><Url>
type Play struct {
	URL string
}
