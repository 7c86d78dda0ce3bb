// SPDX-License-Identifier: MIT

package phone

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/tone"
	"github.com/pion/rtp"
)

// How a key is sent: pressed for five packets, then its end three times, then a
// pause of five (RFC 4733 section 2.5.1).
const (
	pressed = 5
	ends    = 3
	pause   = 5
)

// mouth is what a call sends.
type mouth struct {
	hz       float64
	samples  int // played so far
	header   rtp.Header
	keys     string // yet to be sent, the first perhaps in part
	step     int    // packets sent of the first key and its pause
	keyStart uint32 // timestamp of the first key
	marked   bool   // the first audio packet was sent
}

func newMouth(hz float64) mouth {
	return mouth{hz: hz, header: rtp.Header{
		Version: 2, SSRC: rand.Uint32(), SequenceNumber: uint16(rand.Uint32()), Timestamp: rand.Uint32(),
	}}
}

// next makes the packet of the next 20 ms, or nothing.
func (m *mouth) next(r media.Remote) ([]byte, error) {
	defer func() { m.header.Timestamp += media.FrameSize }()
	if m.keys != "" {
		key := strings.IndexByte("0123456789*#ABCD", m.keys[0])
		step := m.step
		if m.step++; m.step == pressed+ends+pause {
			m.keys, m.step = m.keys[1:], 0
		}
		if step < pressed+ends {
			return m.event(r.TelephoneEvent, byte(key), step)
		}
	}
	sound := make([]int16, media.FrameSize)
	if m.hz > 0 {
		tone.Add(sound, m.samples, m.hz, Level)
	}
	m.samples += media.FrameSize
	payload := make([]byte, media.FrameSize)
	codec.Encode(r.Codec, payload, sound)
	m.header.Marker, m.marked = !m.marked, true
	return m.packet(m.header.Timestamp, uint8(r.Codec), payload)
}

// event makes one packet of a key.
func (m *mouth) event(payloadType uint8, key byte, step int) ([]byte, error) {
	if step == 0 {
		m.keyStart = m.header.Timestamp
	}
	m.header.Marker = step == 0
	duration := uint16(min(step+1, pressed)) * media.FrameSize
	payload := []byte{key, 10, byte(duration >> 8), byte(duration)}
	if step >= pressed {
		payload[1] |= 0x80
	}
	return m.packet(m.keyStart, payloadType, payload)
}

func (m *mouth) packet(timestamp uint32, payloadType uint8, payload []byte) ([]byte, error) {
	h := m.header
	h.Timestamp, h.PayloadType = timestamp, payloadType
	m.header.SequenceNumber++
	return (&rtp.Packet{Header: h, Payload: payload}).Marshal()
}

// SendDigits presses keys, one of 0-9 * # A-D each, and waits until they are
// sent.
func (c *Call) SendDigits(ctx context.Context, keys string) error {
	c.mu.Lock()
	if strings.Trim(keys, "0123456789*#ABCD") != "" {
		c.mu.Unlock()
		return fmt.Errorf("phone: %q has characters that are no keys", keys)
	}
	if c.remote.TelephoneEvent == 0 {
		c.mu.Unlock()
		return errors.New("phone: the other side takes no telephone-event digits")
	}
	c.mouth.keys += keys
	c.mu.Unlock()
	return c.wait(ctx, "the keys to be sent", func() bool { return c.mouth.keys == "" })
}

// talk starts to send and listen, once. c.mu is held.
func (c *Call) talk() {
	if c.state.talking || c.state.ended != nil {
		return
	}
	c.state.talking = true
	c.running.Go(c.exchange)
}

// exchange sends a packet every 20 ms, by absolute deadlines, and reads between.
func (c *Call) exchange() {
	buf := make([]byte, 2048)
	due := time.Now()
	for {
		if wait := time.Until(due); wait <= 0 {
			due = due.Add(frame)
			c.send()
			continue
		}
		if c.conn.SetReadDeadline(due) != nil {
			return
		}
		n, _, err := c.conn.ReadFromUDPAddrPort(buf)
		switch {
		case err == nil:
			c.hear(buf[:n])
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return // closed: the call has ended
		}
	}
}

func (c *Call) send() {
	c.mu.Lock()
	defer c.mu.Unlock()
	packet, err := c.mouth.next(c.remote)
	if err == nil && c.remote.Send {
		// A packet lost here is a packet lost anywhere.
		_, _ = c.conn.WriteToUDPAddrPort(packet, c.remote.Addr)
	}
	c.broadcast()
}
