// SPDX-License-Identifier: MIT

package dialog

import (
	"net/netip"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/secure"
)

// peer is the other side and the way to it (RFC 3261 section 12.1).
type peer struct {
	to     *sip.ToHeader // with its tag, once known
	seq    uint32        // CSeq of its last request
	target sip.Uri
	routes []sip.Uri
	// network is the transport where the URIs do not say. flow is where the call
	// came from; a connection is used while it lives.
	network string
	flow    netip.AddrPort
	// client is what TLS to it is secured with, and name what its certificate
	// must be for where its URIs have addresses.
	client secure.Client
	name   string
	// pinned says that the peer is reached by flow, whatever its URIs say.
	pinned bool
	// updates says that it takes UPDATE.
	updates bool
}

// refresh takes what a message that makes or refreshes a dialog says of its
// sender: where it is, and what it takes (RFC 3261 section 12.2).
func (p *peer) refresh(m interface {
	sip.Message
	Contact() *sip.ContactHeader
}) {
	if c := m.Contact(); c != nil {
		p.target = *c.Address.Clone()
	}
	if yes, told := allows(m, sip.UPDATE); told {
		p.updates = yes
	}
}
