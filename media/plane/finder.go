// SPDX-License-Identifier: MIT

package plane

import (
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/dtmf"
	"github.com/callwright/callwright/media/jitter"
)

// bridgedOver is how many frames in a row may be missing and are taken for what
// sounded before: a packet lost in the middle of a key does not make it two.
const bridgedOver = 2

// echoes is for how long a key that was sent as tones may come back: from the
// telephone line behind a gateway, over a long way and a full jitter buffer. Its
// echo is as clear as a key that was pressed, only softer.
const echoes = 600 * time.Millisecond

// finder finds keys in the sound of a stream whose peer has not agreed to
// telephone-event. Others have none, and cost nothing.
type finder struct {
	dtmf.Detector
	missing uint8 // frames in a row that were made up
	// echo says, by event code, until when a key may be our own coming back.
	echo [16]time.Duration
}

// kit is memory that a stream needs for what was settled. It is made before, so
// that the shard need not.
type kit struct {
	ear     *ear
	finder  *finder
	pack    *pack
	secrets *secrets
}

// kitFor fails if the keys of what was settled mean nothing.
func kitFor(r media.Remote) (k kit, err error) {
	if r.TelephoneEvent == 0 && r.Receive {
		k.ear, k.finder = new(ear), new(finder)
	}
	if packs(r.PacketTime) {
		k.pack = new(pack)
	}
	k.secrets, err = secretsFor(r)
	return k, err
}

// listenForTones looks for keys in sound from now on, or stops it.
func (s *shard) listenForTones(st *stream, k kit) {
	switch {
	case k.finder == nil && st.in.finder != 0:
		s.finders.take(st.in.finder)
		st.in.finder = 0
		s.rest(st)
	case k.finder != nil && st.in.finder == 0:
		st.in.finder = s.finders.put(k.finder)
		s.listen(st, k.ear)
	}
}

// findKey looks for a key in the frame that the stream's ear has given.
func (s *shard) findKey(st *stream, o jitter.Outcome) {
	f := s.finders.at(st.in.finder)
	if o != jitter.Concealed {
		f.missing = 0
	} else if f.missing < bridgedOver {
		f.missing++
		return
	}
	key, ok := f.Sound(st.remote.codec, s.ears.at(st.ear).Frame())
	if !ok {
		return
	}
	if code, _ := dtmf.Code(key); s.timing.now >= f.echo[code] {
		s.emit(st, media.Event{Kind: media.Digit, Digit: key, Way: media.ByTone})
	}
}

// expectEcho notes that a key goes to the peer as tones.
func (s *shard) expectEcho(st *stream, key byte) {
	if st.in.finder == 0 {
		return
	}
	code, _ := dtmf.Code(key)
	s.finders.at(st.in.finder).echo[code] = s.timing.now + echoes
}
