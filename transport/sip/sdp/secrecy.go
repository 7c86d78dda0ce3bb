// SPDX-License-Identifier: MIT

package sdp

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/callwright/callwright/media"
)

// ErrSecrecy says that the sides do not agree on whether or how sound is
// encrypted: 488 in SIP.
var ErrSecrecy = errors.New("no agreement on encryption")

// Policy says whether the packets of a session are encrypted (SRTP, RFC 3711).
type Policy uint8

// The policies.
const (
	// Allow takes encryption when the peer offers it, and offers none.
	Allow Policy = iota
	// Offer is Allow, and offers it to a peer that need not know of it (RFC 8643).
	Offer
	// Require has all packets encrypted.
	Require
	// Off has none encrypted.
	Off
)

// suites are what we encrypt by, most preferred first: the first is what every
// device knows (RFC 4568 section 6.2).
var suites = []media.Suite{media.AES128SHA1x80, media.AES128GCM, media.AES128SHA1x32}

// The transports that we speak, plain and encrypted: those of RFC 3551 and 3711,
// and what announces more feedback than that (RFC 4585, RFC 5124), of which we
// ask for none.
const (
	plainRTP  = "RTP/AVP"
	secureRTP = "RTP/SAVP"
)

func spoken(proto string) bool {
	return proto == plainRTP || proto == plainRTP+"F" || secure(proto)
}

func secure(proto string) bool { return proto == secureRTP || proto == secureRTP+"F" }

// secrecy is what a session knows of encryption.
type secrecy struct {
	policy Policy
	suites []media.Suite // that we speak, most preferred first
	// ours are the keys that we encrypt with. They are made when they are first
	// offered and stay the same, so that a peer need not begin anew.
	ours map[media.Suite]*media.Keys
	// settled is how packets go, and offered how we would have had them go last.
	settled, offered manner
}

// manner is over which transport packets go, and whether with keys.
type manner struct {
	proto string
	keys  bool
}

// Encrypt says whether packets are encrypted from now on, and by which suites,
// most preferred first; none means all that we know.
func (s *Session) Encrypt(p Policy, by ...media.Suite) {
	s.secrecy.policy, s.secrecy.suites = p, by
}

// Rekey has new keys made for what is offered or answered next.
func (s *Session) Rekey() { s.secrecy.ours = nil }

// spoken gives the suites that may be used.
func (x *secrecy) spoken() []media.Suite {
	if len(x.suites) == 0 {
		return suites
	}
	return x.suites
}

// keys gives our keys for a suite.
func (x *secrecy) keys(s media.Suite) *media.Keys {
	if x.ours[s] == nil {
		key, salt := s.Lengths()
		k := &media.Keys{Suite: s, Key: make([]byte, key), Salt: make([]byte, salt)}
		rand.Read(k.Key)
		rand.Read(k.Salt)
		if x.ours == nil {
			x.ours = make(map[media.Suite]*media.Keys)
		}
		x.ours[s] = k
	}
	return x.ours[s]
}

// tag names the line of a suite in our offers, in each the same.
func tag(s media.Suite) string { return strconv.Itoa(int(s)) }

// offer gives the transport of our next offer and the lines that go with it.
// What was settled goes on; what the policy demands comes first.
func (x *secrecy) offer() (string, []crypto) {
	x.offered = x.settled
	switch {
	case x.policy == Off:
		x.offered = manner{plainRTP, false}
	case x.policy == Require && !x.settled.keys:
		x.offered = manner{secureRTP, true}
	case x.settled.proto == "":
		x.offered = manner{plainRTP, x.policy == Offer}
	}
	if !x.offered.keys {
		return x.offered.proto, nil
	}
	var lines []crypto
	for _, s := range x.spoken() {
		lines = append(lines, crypto{tag: tag(s), keys: x.keys(s)})
	}
	return x.offered.proto, lines
}

// choose finds the line of an offered stream that we take; none, without an
// error, is that its packets are not encrypted.
func (x *secrecy) choose(st stream) (*crypto, error) {
	switch {
	case secure(st.proto) && x.policy == Off:
		return nil, fmt.Errorf("%w: its audio stream is encrypted (%s), and srtp is off here", ErrSecrecy, st.proto)
	case x.policy == Off:
		return nil, nil
	}
	why := st.unusable
	for _, c := range st.cryptos {
		if slices.Contains(x.spoken(), c.keys.Suite) {
			return &c, nil
		}
		why = fmt.Errorf("%s is not taken here", c.keys.Suite)
	}
	if why == nil {
		why = errors.New("it has no a=crypto line")
	}
	switch {
	case secure(st.proto):
		return nil, fmt.Errorf("%w: its audio stream (%s) cannot be decrypted: %w", ErrSecrecy, st.proto, why)
	case x.policy == Require:
		return nil, fmt.Errorf("%w: its audio stream (%s) is not encrypted, and srtp is required here: %w", ErrSecrecy, st.proto, why)
	}
	return nil, nil
}

// accept checks how a stream of the peer's answers our offer. None, without an
// error, is that packets are not encrypted.
func (x *secrecy) accept(st stream) (*crypto, error) {
	if secure(st.proto) != secure(x.offered.proto) {
		return nil, fmt.Errorf("%w: %s was offered and %s answered", ErrSecrecy, x.offered.proto, st.proto)
	}
	if !x.offered.keys {
		return nil, nil // what it says of keys answers nothing
	}
	why := st.unusable
	for _, c := range st.cryptos {
		if c.tag == tag(c.keys.Suite) && slices.Contains(x.spoken(), c.keys.Suite) {
			return &c, nil
		}
		why = fmt.Errorf("line %s of the offer was not %s", c.tag, c.keys.Suite)
	}
	if why == nil {
		why = errors.New("it has no a=crypto line")
	}
	if secure(st.proto) || x.policy == Require {
		return nil, fmt.Errorf("%w: the answer does not say how it is encrypted: %w", ErrSecrecy, why)
	}
	return nil, nil
}

// settle notes what was settled with a stream of the peer's, and gives the keys
// of both sides. What it encrypts by is offered first from then on.
func (x *secrecy) settle(proto string, theirs *crypto) (ours, peers *media.Keys) {
	x.settled = manner{proto, theirs != nil}
	if theirs == nil {
		return nil, nil
	}
	suite := theirs.keys.Suite
	rest := slices.DeleteFunc(slices.Clone(x.spoken()), func(o media.Suite) bool { return o == suite })
	x.suites = append([]media.Suite{suite}, rest...)
	return x.keys(suite), theirs.keys
}
