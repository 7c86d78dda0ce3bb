// SPDX-License-Identifier: MIT

package srtp

import (
	"errors"
	"fmt"

	"github.com/pion/rtp"
	pion "github.com/pion/srtp/v3"

	"github.com/callwright/callwright/media"
)

// Overhead is the most that sealing adds to a packet: with GCM an SRTCP packet
// gets a tag of 16 bytes and an index of 4 (RFC 7714 section 9).
const Overhead = 20

// ErrNoRoom says that there is too little memory behind a packet to seal it.
var ErrNoRoom = errors.New("no room behind the packet to encrypt it")

// profile names a suite as pion does, and checks that keys fit it.
func profile(k *media.Keys) (pion.ProtectionProfile, error) {
	var p pion.ProtectionProfile
	switch k.Suite {
	case media.AES128SHA1x80:
		p = pion.ProtectionProfileAes128CmHmacSha1_80
	case media.AES128SHA1x32:
		// Only RTP has the short tag: SRTCP always has 80 bits (RFC 4568 section
		// 6.2.2).
		p = pion.ProtectionProfileAes128CmHmacSha1_32
	case media.AES128GCM:
		p = pion.ProtectionProfileAeadAes128Gcm
	default:
		return 0, fmt.Errorf("encrypt packets: %v is not known", k.Suite)
	}
	if key, salt := k.Suite.Lengths(); len(k.Key) != key || len(k.Salt) != salt {
		return 0, fmt.Errorf("encrypt packets by %v: a key of %d and a salt of %d bytes instead of %d and %d",
			k.Suite, len(k.Key), len(k.Salt), key, salt)
	}
	return p, nil
}

// Sealer encrypts what one side sends. It counts how often the sequence numbers
// of each SSRC have begun again, so it must see all packets, and no other Sealer
// may have the same Keys for the same SSRC: what both had encrypted could be read
// by anybody (RFC 3711 section 9.1). It is not safe for concurrent use.
type Sealer struct {
	context *pion.Context
	header  rtp.Header // kept, so that reading one costs no memory
}

// NewSealer makes a Sealer. It fails if the keys do not fit their suite.
func NewSealer(k *media.Keys) (*Sealer, error) {
	p, err := profile(k)
	if err != nil {
		return nil, err
	}
	context, err := pion.CreateContext(k.Key, k.Salt, p)
	if err != nil {
		return nil, fmt.Errorf("encrypt packets by %v: %w", k.Suite, err)
	}
	return &Sealer{context: context}, nil
}

// SealRTP encrypts the RTP packet and gives it as it is to be sent: longer, in
// the same memory, behind which there must be room for Overhead more bytes. Each
// packet can be sealed once. It fails with ErrNoRoom, with what is no RTP packet,
// and when the key is used up, after 2^48 packets.
func (s *Sealer) SealRTP(packet []byte) ([]byte, error) {
	if cap(packet)-len(packet) < Overhead {
		return nil, ErrNoRoom
	}
	sealed, err := s.context.EncryptRTP(packet, packet, &s.header)
	if err != nil {
		return nil, fmt.Errorf("encrypt rtp packet: %w", err)
	}
	return sealed, nil
}

// SealRTCP is the same for an RTCP packet, which may be a compound one.
func (s *Sealer) SealRTCP(packet []byte) ([]byte, error) {
	if cap(packet)-len(packet) < Overhead {
		return nil, ErrNoRoom
	}
	sealed, err := s.context.EncryptRTCP(packet, packet, nil)
	if err != nil {
		return nil, fmt.Errorf("encrypt rtcp packet: %w", err)
	}
	return sealed, nil
}
