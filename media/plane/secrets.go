// SPDX-License-Identifier: MIT

package plane

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/srtp"
)

// errOneSided says that only one side would encrypt.
var errOneSided = errors.New("only one side has keys")

// secrets are what the packets of a stream are encrypted with. Streams that are
// not encrypted have none, and cost nothing.
type secrets struct {
	keys   [2]*media.Keys // ours and the peer's
	ours   *srtp.Sealer
	theirs *srtp.Unsealer
	// before is what the peer's packets were encrypted with until lately. Those
	// that were on their way are taken for a while.
	before *srtp.Unsealer
	until  time.Duration
}

// secretsFor makes the secrets of what was settled; of plain RTP there are none.
func secretsFor(r media.Remote) (*secrets, error) {
	if r.Ours == nil && r.Theirs == nil {
		return nil, nil
	}
	if r.Ours == nil || r.Theirs == nil {
		return nil, errOneSided
	}
	ours, err := srtp.NewSealer(r.Ours)
	if err != nil {
		return nil, err
	}
	theirs, err := srtp.NewUnsealer(r.Theirs)
	if err != nil {
		return nil, err
	}
	return &secrets{keys: [2]*media.Keys{r.Ours, r.Theirs}, ours: ours, theirs: theirs}, nil
}

// encrypt has the stream encrypted as was settled now. What is the same as
// before goes on, so that nothing that came can come again.
//
// When either key is another one, or the peer is at another place, then somebody
// else may be there, who does not know how often our sequence numbers have begun
// again. It must be told a source that has not been sent yet, whose count is 0
// (RFC 3711 section 3.3.1). This also keeps a key from being used twice for the
// same packet number (section 9.1).
func (s *shard) encrypt(st *stream, now *secrets, moved bool) {
	if now == nil {
		s.secrets.take(st.secrets)
		st.secrets = 0
		return
	}
	if st.secrets == 0 {
		st.secrets = s.secrets.put(now)
		st.renew()
		return
	}
	x := s.secrets.at(st.secrets)
	known := x.keys[1].Equal(now.keys[1])
	if !known {
		now.theirs.Succeed(x.theirs)
		x.before, x.until = x.theirs, s.timing.now+straggle
		x.theirs = now.theirs
	}
	if moved || !known || !x.keys[0].Equal(now.keys[0]) {
		x.ours = now.ours
		st.renew()
	}
	x.keys = now.keys
}

// renew goes on as a source that has not sent yet. Its numbers begin in the lower
// half, so that a peer that misses the first does not miss that they begin again
// (RFC 3711 section 3.3.1).
func (st *stream) renew() {
	st.out.ssrc, st.out.sequence = rand.Uint32(), firstSequence()
	st.out.earlier, st.out.octets = st.out.sent, 0
	st.out.talking = false
}

func firstSequence() uint16 { return uint16(rand.Uint32N(1 << 15)) }

// sealRTP encrypts a packet for the peer. The result holds until the next packet
// is sealed. It reports false when the packet cannot be sent.
func (s *shard) sealRTP(st *stream, packet []byte) ([]byte, bool) {
	if st.secrets == 0 {
		return packet, true
	}
	// What lies behind the packet may be the next one.
	packet = append(s.wire.sealed[:0], packet...)
	packet, err := s.secrets.at(st.secrets).ours.SealRTP(packet)
	return packet, err == nil
}

// sealRTCP is the same for an RTCP packet.
func (s *shard) sealRTCP(st *stream, packet []byte) ([]byte, bool) {
	if st.secrets == 0 {
		return packet, true
	}
	packet = append(s.wire.sealed[:0], packet...)
	packet, err := s.secrets.at(st.secrets).ours.SealRTCP(packet)
	return packet, err == nil
}

// unsealRTP decrypts a datagram where it lies. It reports false, and counts, when
// it is not the peer's; nothing else may be done with it then.
func (s *shard) unsealRTP(st *stream, datagram []byte) ([]byte, bool) {
	return s.unseal(st, datagram, (*srtp.Unsealer).UnsealRTP)
}

// unsealRTCP is the same for an RTCP packet.
func (s *shard) unsealRTCP(st *stream, datagram []byte) ([]byte, bool) {
	return s.unseal(st, datagram, (*srtp.Unsealer).UnsealRTCP)
}

func (s *shard) unseal(st *stream, datagram []byte, by func(*srtp.Unsealer, []byte) ([]byte, error)) ([]byte, bool) {
	if st.secrets == 0 {
		return datagram, true
	}
	x := s.secrets.at(st.secrets)
	var earlier []byte
	if x.before != nil {
		if s.timing.now < x.until {
			earlier = append(s.wire.sealed[:0], datagram...) // a failure may spoil it
		} else {
			x.before = nil
		}
	}
	packet, err := by(x.theirs, datagram)
	if err != nil && earlier != nil {
		if packet, err = by(x.before, earlier); err == nil {
			packet = datagram[:copy(datagram, packet)]
		}
	}
	if err != nil {
		st.in.refused++
		return nil, false
	}
	return packet, true
}

// suite names what the stream is encrypted by; empty is not at all.
func (s *shard) suite(st *stream) string {
	if st.secrets == 0 {
		return ""
	}
	return s.secrets.at(st.secrets).keys[0].Suite.String()
}
