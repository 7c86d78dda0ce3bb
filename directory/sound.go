// SPDX-License-Identifier: MIT

package directory

// The ways in which keys can be sent to a phone or a trunk, as the
// configuration names them.
const (
	DTMFAuto   = "auto"   // telephone-event where it was agreed to, else tones
	DTMFInfo   = "info"   // SIP INFO
	DTMFInband = "inband" // tones, and telephone-event is not offered
)

func (id EntryID) dtmf(way string) *EntryError {
	switch way {
	case "", DTMFAuto, DTMFInfo, DTMFInband:
		return nil
	}
	return id.wrong("dtmf", "has the dtmf %q: write auto, info or inband", way)
}

// The values of User.SRTP and Trunk.SRTP.
const (
	SRTPOff     = "off"     // never: a peer that insists on it is refused
	SRTPAllow   = "allow"   // when the peer offers it
	SRTPRequire = "require" // always: a peer without it is refused
)

func (id EntryID) srtp(policy string) *EntryError {
	switch policy {
	case "", SRTPOff, SRTPAllow, SRTPRequire:
		return nil
	}
	return id.wrong("srtp", "has the srtp %q: write off, allow or require", policy)
}
