// SPDX-License-Identifier: MIT

package srtp

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pion/rtp"
	pion "github.com/pion/srtp/v3"

	"github.com/callwright/callwright/media"
)

// ErrRefused says that a packet was not made with the keys, was changed on its
// way, came before, or is too old for it to be known whether it did.
var ErrRefused = errors.New("the packet is not authentic")

const (
	// window is how many packets a packet may be late and still be taken (RFC
	// 3711 section 3.3.2 asks for 64 at least).
	window = 128
	// sources is how many SSRCs one side may use in its time. Each is remembered,
	// because its packets could come again.
	sources = 256
)

// Unsealer decrypts what one side sends. It is not safe for concurrent use.
type Unsealer struct {
	keys    *media.Keys
	context *pion.Context
	header  rtp.Header
	known   int // SSRCs of RTP, of which each costs memory
	reports int // SSRCs of RTCP
	// earlier is what was there before with other keys, and probe has ours and
	// finds out whether a source goes on with the count that it had there.
	earlier, probe *pion.Context
}

// NewUnsealer makes an Unsealer. It fails if the keys do not fit their suite.
func NewUnsealer(k *media.Keys) (*Unsealer, error) {
	context, err := newContext(k)
	if err != nil {
		return nil, err
	}
	return &Unsealer{keys: k, context: context}, nil
}

func newContext(k *media.Keys) (*pion.Context, error) {
	p, err := profile(k)
	if err != nil {
		return nil, err
	}
	context, err := pion.CreateContext(k.Key, k.Salt, p, pion.SRTPReplayProtection(window), pion.SRTCPReplayProtection(window))
	if err != nil {
		return nil, fmt.Errorf("decrypt packets by %v: %w", k.Suite, err)
	}
	return context, nil
}

// Succeed tells of the Unsealer that was there before the side took other keys. A
// source that goes on should go on with the count of how often its numbers have
// begun again (RFC 3711 section 3.3.1); many begin anew. Either is understood.
func (u *Unsealer) Succeed(before *Unsealer) {
	if probe, err := newContext(u.keys); err == nil { // they were good for one
		u.earlier, u.probe = before.context, probe
	}
}

// adopt has a source that is heard first under these keys go on with the count
// that it had, if the datagram shows that it does.
func (u *Unsealer) adopt(ssrc uint32, datagram []byte) {
	count, ok := u.earlier.ROC(ssrc)
	if !ok || count == 0 {
		return
	}
	u.probe.SetROC(ssrc, count)
	if _, err := u.probe.DecryptRTP(nil, datagram, &u.header); err == nil {
		u.context.SetROC(ssrc, count)
	}
}

// UnsealRTP decrypts the datagram where it lies and gives the RTP packet that it
// was: shorter, in the same memory. The only error is ErrRefused; what the
// datagram holds then is of no use, unless its tag was the HMAC-SHA1 of another
// key: it is left as it was.
func (u *Unsealer) UnsealRTP(datagram []byte) ([]byte, error) {
	if len(datagram) < 12 || datagram[0]>>6 != 2 {
		return nil, ErrRefused
	}
	ssrc := binary.BigEndian.Uint32(datagram[8:])
	_, known := u.context.ROC(ssrc)
	switch {
	case !known && u.known >= sources:
		return nil, ErrRefused
	case !known && u.probe != nil:
		u.adopt(ssrc, datagram)
	}
	packet, err := u.context.DecryptRTP(datagram[:0], datagram, &u.header)
	if err != nil {
		return nil, ErrRefused
	}
	if !known {
		u.known++
	}
	return packet, nil
}

// UnsealRTCP is the same for an RTCP packet, which may be a compound one.
func (u *Unsealer) UnsealRTCP(datagram []byte) ([]byte, error) {
	if len(datagram) < 8 || datagram[0]>>6 != 2 {
		return nil, ErrRefused
	}
	_, known := u.context.Index(binary.BigEndian.Uint32(datagram[4:]))
	if !known && u.reports >= sources {
		return nil, ErrRefused
	}
	packet, err := u.context.DecryptRTCP(datagram[:0], datagram, nil)
	if err != nil {
		return nil, ErrRefused
	}
	if !known {
		u.reports++
	}
	return packet, nil
}
