// SPDX-License-Identifier: MIT

package sdp

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/callwright/callwright/media"
)

// ErrNoCommonCodec says that a description is sound but holds no audio stream
// that we can speak: 488 in SIP.
var ErrNoCommonCodec = errors.New("no audio codec in common")

// errOtherFamily says that a peer is out of reach.
var errOtherFamily = errors.New("IPv4 and IPv6 do not reach each other")

// telephoneEvent is the payload type we offer for telephone-event/8000. Any
// dynamic type would do; everybody uses this one.
const telephoneEvent = 101

// Session is our side of one media session, from its first description to its
// last. It is not safe for concurrent use.
type Session struct {
	local   netip.AddrPort
	id      uint64
	version uint64
	// last is the description printed last, without its o= line: a change of
	// it is what makes a new version (RFC 3264 section 8).
	last string
	// codecs are what we speak. What was settled is moved to the front, and
	// offered first from then on.
	codecs []media.Codec
	// packetTime is how much sound we would like in one packet.
	packetTime time.Duration
	noEvents   bool
	holds      bool
	secrecy    secrecy
	// streams are those of the description before: one that was there once has its
	// place for good (RFC 3264 section 8). Ours is the one in that place.
	streams []stream
	ours    int
	// reach says where sound of a peer of the other address family is received.
	reach func(peer netip.Addr) (netip.AddrPort, error)
}

// New begins a session whose sound is received at local. id tells it from the
// other sessions of this host (RFC 4566 section 5.2). codecs are those to be
// spoken, most preferred first; none means all we know.
func New(local netip.AddrPort, id uint64, codecs ...media.Codec) *Session {
	if len(codecs) == 0 {
		codecs = []media.Codec{media.PCMU, media.PCMA}
	}
	// The id is kept in 62 bits, because some peers read it as signed.
	return &Session{local: local, id: id >> 2, codecs: codecs, packetTime: media.FrameDuration}
}

// RefuseEvents has telephone-event neither offered nor accepted from now on, so
// that keys go in the sound.
func (s *Session) RefuseEvents() { s.noEvents = true }

// SetPacketTime has the peer asked for packets of d from now on, in place of
// 20 ms (a=ptime, RFC 8866 section 6.4).
func (s *Session) SetPacketTime(d time.Duration) { s.packetTime = d }

// Hold has the peer offered to hear us and not to be heard from now on (RFC 3264
// section 8.4), or to be heard again.
func (s *Session) Hold(on bool) { s.holds = on }

// Move has sound received at another address from now on.
func (s *Session) Move(local netip.AddrPort) { s.local = local }

// Reach has peers of the other address family, IPv4 or IPv6, told another address
// to send sound to. Without it they are refused.
func (s *Session) Reach(from func(peer netip.Addr) (netip.AddrPort, error)) { s.reach = from }

// Prefer has a codec offered first from now on.
func (s *Session) Prefer(c media.Codec) {
	rest := slices.DeleteFunc(slices.Clone(s.codecs), func(o media.Codec) bool { return o == c })
	s.codecs = append([]media.Codec{c}, rest...)
}

// read gives the streams of a description, with only what we speak.
func (s *Session) read(body []byte) ([]stream, error) {
	streams, err := parse(body)
	for i := range streams {
		if s.noEvents {
			streams[i].telephoneEvent = 0
		}
		streams[i].codecs = slices.DeleteFunc(streams[i].codecs, func(c media.Codec) bool { return !slices.Contains(s.codecs, c) })
	}
	return streams, err
}

// Offer describes everything we can do. Streams that were refused before stay so.
func (s *Session) Offer() []byte {
	proto, cryptos := s.secrecy.offer()
	ours := stream{
		proto:          proto,
		cryptos:        cryptos,
		control:        control{mux: true},
		port:           s.local.Port(),
		codecs:         s.codecs,
		telephoneEvent: telephoneEvent,
		direction:      sendrecv,
		packetTime:     s.packetTime,
	}
	if s.noEvents {
		ours.telephoneEvent = 0
	}
	if s.holds {
		ours.direction = sendonly
	}
	streams := []stream{ours}
	if len(s.streams) > 0 {
		streams = slices.Clone(s.streams)
		// A payload type keeps its meaning, and ours may have another for the peer
		// (RFC 3264 section 8.3.2).
		ours.telephoneEvent = cmp.Or(streams[s.ours].telephoneEvent, ours.telephoneEvent)
		streams[s.ours] = ours
	}
	return s.print(streams)
}

// Answer answers an offer: the first audio stream that we can speak is taken
// with the offerer's most preferred codec, all others are refused; one that is
// encrypted goes before one that is not. Remote is what was settled. The error
// wraps ErrNoCommonCodec or ErrSecrecy if there is no such stream; any other error
// means that the offer cannot be read.
func (s *Session) Answer(offer []byte) ([]byte, media.Remote, error) {
	offered, err := s.read(offer)
	if err != nil {
		return nil, media.Remote{}, fmt.Errorf("read SDP offer: %w", err)
	}
	chosen, line, err := s.choose(offered)
	if err != nil {
		return nil, media.Remote{}, fmt.Errorf("answer SDP offer: %w", err)
	}
	answer := slices.Clone(offered)
	for i := range answer {
		if i != chosen {
			answer[i] = offered[i].refused()
		}
	}
	theirs := offered[chosen]
	if s.local, err = s.at(theirs); err != nil {
		return nil, media.Remote{}, fmt.Errorf("answer SDP offer: %w", err)
	}
	s.Prefer(theirs.codecs[0])
	remote := theirs.remote()
	remote.Ours, remote.Theirs = s.secrecy.settle(theirs.proto, line)
	answer[chosen] = stream{
		proto:          theirs.proto,
		control:        control{mux: theirs.control.mux},
		port:           s.local.Port(),
		codecs:         theirs.codecs[:1],
		telephoneEvent: theirs.telephoneEvent,
		direction:      theirs.direction.answer(theirs.held()),
		packetTime:     s.packetTime,
	}
	if line != nil {
		answer[chosen].cryptos = []crypto{{tag: line.tag, keys: remote.Ours}}
	}
	s.streams, s.ours = answer, chosen
	return s.print(answer), remote, nil
}

// choose finds the stream of an offer that we take, and its line that we encrypt
// by, if any.
func (s *Session) choose(offered []stream) (chosen int, line *crypto, err error) {
	chosen = -1
	var no error
	for i, st := range offered {
		if !s.usable(st) {
			continue
		}
		c, err := s.secrecy.choose(st)
		switch {
		case err != nil && no == nil:
			no = err
		case err != nil:
		case chosen < 0 || line == nil && c != nil:
			chosen, line = i, c
		}
	}
	switch {
	case chosen >= 0:
		return chosen, line, nil
	case no != nil:
		return chosen, nil, no
	}
	return chosen, nil, fmt.Errorf("%w (%s)", ErrNoCommonCodec, s.reason(offered))
}

// Accept reads the answer to our last offer. The error wraps ErrNoCommonCodec
// if the peer refused our stream or chose a codec that we did not offer, and
// ErrSecrecy if it does not encrypt as we have offered.
func (s *Session) Accept(answer []byte) (media.Remote, error) {
	streams, err := s.read(answer)
	if err != nil {
		return media.Remote{}, fmt.Errorf("read SDP answer: %w", err)
	}
	if len(streams) <= s.ours || !s.usable(streams[s.ours]) {
		return media.Remote{}, fmt.Errorf("accept SDP answer: %w (%s)", ErrNoCommonCodec, s.reason(streams))
	}
	theirs := streams[s.ours]
	line, err := s.secrecy.accept(theirs)
	if err != nil {
		return media.Remote{}, fmt.Errorf("accept SDP answer: %w", err)
	}
	s.Prefer(theirs.codecs[0])
	remote := theirs.remote()
	remote.Ours, remote.Theirs = s.secrecy.settle(theirs.proto, line)
	return remote, nil
}

// usable says whether we can exchange sound over a stream: one in an address
// family of ours.
func (s *Session) usable(st stream) bool {
	if !st.usable() {
		return false
	}
	_, err := s.at(st)
	return err == nil
}

// at is where we receive the sound of a stream.
func (s *Session) at(st stream) (netip.AddrPort, error) {
	switch {
	case st.addr.Is4() == s.local.Addr().Is4():
		return s.local, nil
	case s.reach == nil:
		return netip.AddrPort{}, errOtherFamily
	}
	return s.reach(st.addr)
}

// reason says why none of the streams can be used.
func (s *Session) reason(streams []stream) string {
	for _, st := range streams {
		switch {
		case st.media != "audio":
		case !spoken(st.proto):
			return "its audio stream wants " + st.proto + ", we speak " + plainRTP + " and " + secureRTP
		case st.port == 0:
			return "its audio stream has port 0"
		case st.usable():
			return fmt.Sprintf("its audio stream is at %s, ours at %s, and %v", st.addr, s.local.Addr(), errOtherFamily)
		default:
			return "its audio stream has none of our codecs"
		}
	}
	return "it has no audio stream"
}
