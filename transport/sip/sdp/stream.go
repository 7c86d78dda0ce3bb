// SPDX-License-Identifier: MIT

package sdp

import (
	"net/netip"
	"time"

	"github.com/callwright/callwright/media"
)

// direction is a direction attribute, seen by the side that writes it.
type direction string

const (
	sendrecv direction = "sendrecv"
	sendonly direction = "sendonly"
	recvonly direction = "recvonly"
	inactive direction = "inactive"
)

// answer gives the direction that answers d (RFC 3264 section 6.1). held says
// that the offer also names no address to send to, the hold of RFC 2543: then
// we only listen.
func (d direction) answer(held bool) direction {
	switch {
	case d == sendonly, d == sendrecv && held:
		return recvonly
	case d == inactive, d == recvonly && held:
		return inactive
	case d == recvonly:
		return sendonly
	}
	return sendrecv
}

// stream is one m= line with what belongs to it.
type stream struct {
	media, proto string
	formats      []string
	addr         netip.Addr
	port         uint16
	// codecs are those of ours that it names, most preferred first.
	codecs         []media.Codec
	telephoneEvent uint8
	direction      direction
	// packetTime is how much sound its writer would like in one packet; 0 when it
	// does not say.
	packetTime time.Duration
	// cryptos are its a=crypto lines that can be used, and unusable is why the
	// first of the others cannot.
	cryptos  []crypto
	unusable error
	control  control
}

// control is where RTCP goes: with RTP (RFC 5761), to a place of its own (RFC
// 3605) or, as a rule, to the port above.
type control struct {
	mux bool
	at  netip.AddrPort
}

// usable says whether we can exchange sound over the stream.
func (st stream) usable() bool {
	return st.media == "audio" && spoken(st.proto) && st.port != 0 &&
		st.addr.IsValid() && !st.addr.IsMulticast() && len(st.codecs) > 0
}

// held says that the peer named no address to send to.
func (st stream) held() bool { return st.addr.IsUnspecified() }

// refused is the stream as an answer that will not have it (RFC 3264 section 6).
func (st stream) refused() stream {
	return stream{media: st.media, proto: st.proto, formats: st.formats}
}

// remote is what a usable stream of the peer means to us.
func (st stream) remote() media.Remote {
	return media.Remote{
		Addr:           netip.AddrPortFrom(st.addr, st.port),
		Codec:          st.codecs[0],
		TelephoneEvent: st.telephoneEvent,
		Send:           (st.direction == sendrecv || st.direction == recvonly) && !st.held(),
		Receive:        st.direction == sendrecv || st.direction == sendonly,
		PacketTime:     st.packetTime,
		Mux:            st.control.mux,
		RTCP:           st.control.at,
	}
}
