// SPDX-License-Identifier: MIT

package phone

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/tone"
	"github.com/pion/rtp"
)

// comfortNoise is the payload type of comfort noise (RFC 3389 section 4).
const comfortNoise = 13

// noiseLevel is the level that our comfort noise packets tell, in dB below the
// loudest.
const noiseLevel = 70

// mouth is what a call sends.
type mouth struct {
	hz     float64
	played int     // samples of the tone so far
	script []int16 // sound to be said before the tone goes on
	hush   hush
	size   uint32 // samples in a packet
	header rtp.Header
	marked bool // the packet before was sound
	keys   keys
}

// hush is a pause in which nothing is sent.
type hush struct {
	left  int  // samples of it to come
	noise bool // it begins with a packet of comfort noise
}

func newMouth(hz float64, packetTime time.Duration) mouth {
	return mouth{hz: hz, size: uint32(samples(packetTime)), header: newHeader()}
}

// newHeader is where a new source begins (RFC 3550 section 5.1). Its numbers begin
// in the lower half: who misses the first of them cannot decrypt what follows if
// they have begun again meanwhile (RFC 3711 section 3.3.1).
func newHeader() rtp.Header {
	return rtp.Header{Version: 2, SSRC: rand.Uint32(), SequenceNumber: uint16(rand.Uint32N(1 << 15)), Timestamp: rand.Uint32()}
}

// samples is how many samples last d.
func samples(d time.Duration) int { return int(d * media.SampleRate / time.Second) }

// next makes what is sent in the next packet time: a packet as a rule.
func (m *mouth) next(r media.Remote) [][]byte {
	defer func() { m.header.Timestamp += m.size }()
	var packets [][]byte
	if m.keys.pressing() {
		aloud := m.keys.queue[0].Aloud
		event := m.event(r.TelephoneEvent)
		packets = m.keys.faults.pass(event)
		if event != nil && !aloud {
			m.marked = false
			return packets
		}
	}
	if m.hush.left > 0 {
		m.hush.left -= int(m.size)
		if m.marked = false; m.hush.noise {
			m.hush.noise = false
			packets = append(packets, m.packet(m.header.Timestamp, comfortNoise, []byte{noiseLevel}))
		}
		return packets
	}
	payload := make([]byte, m.size)
	codec.Encode(r.Codec, payload, m.sound())
	m.header.Marker, m.marked = !m.marked, true
	return append(packets, m.packet(m.header.Timestamp, uint8(r.Codec), payload))
}

// sound makes the sound of one packet.
func (m *mouth) sound() []int16 {
	sound := make([]int16, m.size)
	if m.hz > 0 {
		tone.Add(sound, m.played, m.hz, Level)
	}
	m.played += len(sound)
	m.script = m.script[copy(sound, m.script):]
	return sound
}

// packet writes a packet, and counts on. It cannot fail: the header has nothing
// that does not fit.
func (m *mouth) packet(timestamp uint32, payloadType uint8, payload []byte) []byte {
	h := m.header
	h.Timestamp, h.PayloadType = timestamp, payloadType
	m.header.SequenceNumber++
	b, _ := (&rtp.Packet{Header: h, Payload: payload}).Marshal()
	return b
}

// Play says some sound in place of the tone, and waits until it is said.
func (c *Call) Play(ctx context.Context, sound []int16) error {
	c.mu.Lock()
	c.mouth.script = append(c.mouth.script, sound...)
	c.mu.Unlock()
	return c.wait(ctx, "the sound to be said", func() bool { return len(c.mouth.script) == 0 })
}

// Hush sends no sound for some time, as phones do that suppress silence, and
// waits until it is over. With noise it tells of the silence first (RFC 3389).
func (c *Call) Hush(ctx context.Context, d time.Duration, noise bool) error {
	c.mu.Lock()
	c.mouth.hush = hush{left: samples(d), noise: noise}
	c.mu.Unlock()
	return c.wait(ctx, "the pause to be over", func() bool { return c.mouth.hush.left <= 0 })
}

// ChangeSource goes on as another RTP source: with another SSRC, sequence and
// time (RFC 3550 section 8.2).
func (c *Call) ChangeSource() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mouth.header, c.mouth.marked = newHeader(), false
}
