// SPDX-License-Identifier: MIT

package sip

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/sdp"
)

// terms are how sound and keys go to and from a party, as is configured of the
// user or trunk that it is.
type terms struct {
	of directory.EntryID
	// dtmf is how keys are sent: directory.DTMFAuto and the like; srtp is whether
	// sound is encrypted: directory.SRTPAllow and the like.
	dtmf, srtp string
	// networks are where a trunk sends from.
	networks []netip.Prefix
}

func termsOfUser(u directory.User) terms   { return terms{u.EntryID(), u.DTMF, u.SRTP, nil} }
func termsOfTrunk(t directory.Trunk) terms { return terms{t.EntryID(), t.DTMF, t.SRTP, t.AllowFrom} }

// policy is what session descriptions are made by. Keys travel in them, so those
// that nobody asked for are offered only where nobody can read them: secured says
// that the signalling is encrypted.
func (t terms) policy(secured bool) sdp.Policy {
	switch {
	case t.srtp == directory.SRTPOff:
		return sdp.Off
	case t.srtp == directory.SRTPRequire:
		return sdp.Require
	case secured:
		return sdp.Offer
	}
	return sdp.Allow
}

// explain says of a description that could not be agreed on what to change.
func (t terms) explain(err error) error {
	switch {
	case errors.Is(err, sdp.ErrNoCommonCodec):
		return fmt.Errorf("%w: PCMU and PCMA are spoken here", err)
	case !errors.Is(err, sdp.ErrSecrecy):
		return err
	case t.srtp == directory.SRTPOff:
		return fmt.Errorf("%w: srtp of %s is off; set it to allow, or have the other side not encrypt", err, t.of)
	case t.srtp == directory.SRTPRequire:
		return fmt.Errorf("%w: srtp of %s is require; set it to allow, or have the other side encrypt (RTP/SAVP with a=crypto)", err, t.of)
	}
	return fmt.Errorf("%w: %v, %v and %v are spoken here", err, media.AES128SHA1x80, media.AES128GCM, media.AES128SHA1x32)
}

// remedy says what may help if the other side does not take what we offer.
func (t terms) remedy() string {
	if t.srtp == directory.SRTPRequire {
		return fmt.Sprintf(": sound was offered encrypted only, because srtp of %s is require; set it to allow if the other side cannot do so", t.of)
	}
	return fmt.Sprintf(": sound was offered that need not be encrypted; set srtp of %s to require if the other side takes no other", t.of)
}

// isSecured says whether signalling by a network, or to a URI, is encrypted.
func isSecured(network, uri string) bool {
	if network == "" {
		_, network, _ = strings.Cut(strings.ToLower(uri), ";transport=")
		network, _, _ = strings.Cut(network, ";")
	}
	switch strings.ToLower(network) {
	case "tls", "wss":
		return true
	}
	return strings.HasPrefix(strings.ToLower(uri), "sips:")
}

// warnOfOpenKeys says of which trunks sound must be encrypted, but the keys go
// there for everybody to read.
func (s *Server) warnOfOpenKeys() {
	for _, t := range s.cfg.Directory.Trunks() {
		if t.SRTP == directory.SRTPRequire && t.Address != "" && !isSecured("", "sip:"+t.Address) {
			s.log.Warn(fmt.Sprintf("the keys of encrypted calls can be read on their way: srtp of %s is require, but its address is reached in the clear; "+
				"write transport=tls into its address", t.EntryID()), "address", t.Address)
		}
	}
}

// openStream opens the stream of a new leg and says where it receives. near is a
// stream that it will be bridged with.
func (s *Server) openStream(near media.StreamID) (*Leg, netip.AddrPort, error) {
	l := &Leg{media: s.cfg.Media, replaced: s.endpoint.Replaced}
	stream, local, err := s.cfg.Media.Open(media.StreamOptions{Deliver: l.onMedia, Near: near})
	l.stream = stream
	return l, local, err
}

// newSession begins to agree on sound that is received at local. peer is where the
// other side is, and secured says that what is signalled to it is encrypted.
func (s *Server) newSession(local netip.AddrPort, peer string, t terms, secured bool) (*sdp.Session, error) {
	address, err := s.mediaAddress(local, peer)
	if err != nil {
		return nil, err
	}
	session := sdp.New(address, rand.Uint64())
	if local.Addr() == netip.IPv6Unspecified() {
		session.Reach(func(peer netip.Addr) (netip.AddrPort, error) {
			return s.mediaAddress(local, netip.AddrPortFrom(peer, 9).String()) // any port does
		})
	}
	session.Encrypt(t.policy(secured))
	if t.dtmf == directory.DTMFInband {
		session.RefuseEvents()
	}
	return session, nil
}

// speak has the leg's sound be what is agreed on in a session with a peer. l.mu is
// held, or nobody has the leg yet.
func (l *Leg) speak(session *sdp.Session, t terms, v vigil) {
	l.session, l.remote, l.cipher, l.vigil = session, media.Remote{}, 0, v
	l.terms, l.keys.byInfo = t, t.dtmf == directory.DTMFInfo
}

// vigilOver is the one over a peer.
func (s *Server) vigilOver(peer string, t terms) vigil {
	v := vigil{timeout: s.cfg.MediaTimeout, networks: t.networks, proxies: s.cfg.Proxies}
	if at, err := netip.ParseAddrPort(peer); err == nil {
		v.source = at.Addr().Unmap()
	}
	return v
}

func (l *Leg) offer() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.session.Offer()
}

// settled says whether a session description of the peer's was taken.
func (l *Leg) settled() bool { return l.remote.Addr.IsValid() }

// connect lets sound flow as was settled. It waits for an answer or for early
// media, because telephones that hear anything stop their own ringing tone.
// l.mu is held.
func (l *Leg) connect() error {
	if err := l.media.Connect(l.stream, l.vigil.on(l.remote)); err != nil {
		return err
	}
	was := l.cipher
	if l.cipher = 0; l.remote.Ours != nil {
		l.cipher = l.remote.Ours.Suite
	}
	switch {
	case l.cipher == was:
	case l.cipher != 0:
		l.tell(engine.LegNote{At: time.Now(), Text: fmt.Sprintf("sound is encrypted by %v", l.cipher)})
	default:
		l.tell(engine.LegNote{At: time.Now(), Text: "sound is not encrypted any more: the other side has settled it without keys"})
	}
	return nil
}

// settle takes the peer's answer to our offer. The last one given holds; one
// without a description leaves what an earlier one settled. l.mu is held.
func (l *Leg) settle(body []byte) error {
	if len(body) == 0 && l.settled() {
		return l.connect()
	}
	remote, err := l.session.Accept(body)
	if err != nil {
		return l.terms.explain(err)
	}
	l.remote = remote
	return l.connect()
}

// mismatch hangs up on a peer that answered what we cannot speak.
func (l *Leg) mismatch(err error) {
	l.mu.Lock()
	l.fate.cause, l.fate.fault = engine.CauseNoCodec, err
	d, words := l.dialog, l.fate.cause.Words()
	l.mu.Unlock()
	d.Hangup(words.SIPStatus, words.SIPReason,
		dialog.Header{Name: "Reason", Value: fmt.Sprintf(`SIP;cause=%d;text="%s"`, words.SIPStatus, words.SIPReason)})
}

// onOffer answers an offer that the peer makes inside the call: hold, another
// address, another codec. An empty one asks for ours.
func (l *Leg) onOffer(offer []byte) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(offer) == 0 {
		return l.session.Offer(), nil
	}
	answer, remote, err := l.session.Answer(offer)
	if err != nil {
		return nil, l.terms.explain(err)
	}
	l.remote = remote
	return answer, l.connect()
}
