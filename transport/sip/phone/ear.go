// SPDX-License-Identifier: MIT

package phone

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/dtmf"
	"github.com/callwright/callwright/media/tone"
	"github.com/pion/rtp"
)

// Packet is one RTP packet as it came.
type Packet struct {
	Arrived     time.Time
	Sequence    uint16
	Timestamp   uint32
	SSRC        uint32
	PayloadType uint8
	Marker      bool
}

// sound says whether a packet is of sound, and not of a key.
func (p Packet) sound() bool {
	return p.PayloadType == uint8(media.PCMU) || p.PayloadType == uint8(media.PCMA)
}

// ear is what a call received.
type ear struct {
	received int
	packets  []Packet // of sound and of keys, in order of arrival
	ssrc     uint32
	first    uint32 // timestamp of sound[base]
	base     int
	sound    []int16         // by timestamp; what never came is silence
	digits   strings.Builder // keys by telephone-event
	event    uint32          // timestamp of the last
	infos    strings.Builder // keys by INFO
	noise    int             // packets of comfort noise
}

// hear takes one packet.
func (c *Call) hear(data []byte) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	var p rtp.Packet
	if data = c.secrets.unseal(data); data == nil || p.Unmarshal(data) != nil {
		return
	}
	switch {
	case p.PayloadType == uint8(media.PCMU), p.PayloadType == uint8(media.PCMA):
		c.ear.audio(&p, now)
	case p.PayloadType == comfortNoise:
		c.ear.noise++
	case c.remote.TelephoneEvent != 0 && p.PayloadType == c.remote.TelephoneEvent && len(p.Payload) >= 4:
		c.ear.note(&p, now)
		c.ear.key(&p)
	}
	c.broadcast()
}

func (e *ear) audio(p *rtp.Packet, now time.Time) {
	if e.received == 0 || p.SSRC != e.ssrc { // a new source goes on behind the old one
		e.ssrc, e.first, e.base = p.SSRC, p.Timestamp, len(e.sound)
	}
	e.received++
	e.note(p, now)
	at := e.base + int(int32(p.Timestamp-e.first))
	end := at + len(p.Payload)
	if at < 0 || end > len(e.sound)+10*media.SampleRate {
		return // before the beginning, or a jump that cannot be meant
	}
	if end > len(e.sound) {
		e.sound = append(e.sound, make([]int16, end-len(e.sound))...)
	}
	codec.Decode(media.Codec(p.PayloadType), e.sound[at:end], p.Payload)
}

func (e *ear) note(p *rtp.Packet, now time.Time) {
	e.packets = append(e.packets, Packet{now, p.SequenceNumber, p.Timestamp, p.SSRC, p.PayloadType, p.Marker})
}

func (e *ear) key(p *rtp.Packet) {
	if e.digits.Len() > 0 && p.Timestamp == e.event {
		return
	}
	if key, ok := dtmf.Key(p.Payload[0]); ok {
		e.event = p.Timestamp
		e.digits.WriteByte(key)
	}
}

// Packets gives the audio packets that came so far.
func (c *Call) Packets() []Packet {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.ear.packets), func(p Packet) bool { return !p.sound() })
}

// Sound gives what was heard so far, by the packets' timestamps.
func (c *Call) Sound() []int16 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.ear.sound)
}

// steady is how long a tone or sound must go on to count as heard.
const steady = 5 * media.FrameSize

// WaitTone waits until hz is heard from now on for 100 ms, at least level dB
// loud.
func (c *Call) WaitTone(ctx context.Context, hz, level float64) error {
	return c.waitSound(ctx, fmt.Sprintf("%.0f Hz", hz), steady, func(sound []int16) bool { return tone.Level(sound, hz) >= level })
}

// WaitSound waits until anything is heard from now on for 100 ms, at least level
// dB loud.
func (c *Call) WaitSound(ctx context.Context, level float64) error {
	return c.waitSound(ctx, "sound", steady, func(sound []int16) bool { return loudness(sound) >= level })
}

// waitSound waits for a stretch of n samples in whose every 20 ms something is
// heard.
func (c *Call) waitSound(ctx context.Context, what string, n int, heard func([]int16) bool) error {
	c.mu.Lock()
	at, run := len(c.ear.sound), 0
	c.mu.Unlock()
	return c.wait(ctx, what, func() bool {
		for ; at+media.FrameSize <= len(c.ear.sound); at += media.FrameSize {
			if run += media.FrameSize; !heard(c.ear.sound[at : at+media.FrameSize]) {
				run = 0
			}
			if run >= n {
				return true
			}
		}
		return false
	})
}

// WaitSilence waits until nothing louder than level dB was heard for d, or no
// packet came for that long.
func (c *Call) WaitSilence(ctx context.Context, d time.Duration, level float64) error {
	c.mu.Lock()
	at, quiet := len(c.ear.sound), time.Now()
	c.mu.Unlock()
	return c.wait(ctx, "silence", func() bool {
		for ; at+media.FrameSize <= len(c.ear.sound); at += media.FrameSize {
			if loudness(c.ear.sound[at:at+media.FrameSize]) > level {
				quiet = time.Now()
			}
		}
		return time.Since(quiet) >= d
	})
}

// loudness is the level of all that sounds, in dB relative to a full-scale sine.
func loudness(sound []int16) float64 {
	power := 0.0
	for _, v := range sound {
		power += float64(v) * float64(v)
	}
	power /= max(float64(len(sound)), 1) * math.MaxInt16 * math.MaxInt16 / 2
	return max(10*math.Log10(power), tone.Silence)
}
