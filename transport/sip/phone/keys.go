// SPDX-License-Identifier: MIT

package phone

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/callwright/callwright/media/dtmf"
)

// How a key is sent: its end is told three times (RFC 4733 section 2.5.1.4), and
// a pause follows. A segment cannot be longer than its duration can tell.
const (
	keyHold  = 100 * time.Millisecond
	keyPause = 100 * time.Millisecond
	keyEnds  = 3
	holdMost = 8 * time.Second
)

// EventOptions say how keys are pressed, and what becomes of their packets on
// the way. The zero value is a good phone on a good line.
type EventOptions struct {
	// Hold is how long a key is down, 100 ms if it is zero.
	Hold time.Duration
	// Aloud has the sound go on while a key is down.
	Aloud bool
	Faults
}

// Faults are what a bad line does to telephone-event packets.
type Faults struct {
	// Lose is which part of the packets is lost, up to 1. It is the same packets
	// in every run.
	Lose float64
	// LoseEnds loses all packets that tell of the end of a key.
	LoseEnds bool
	// Twice has every packet come twice.
	Twice bool
	// Swap has every second packet come before the one sent before it.
	Swap bool
}

// ErrNoEvents says that telephone-event was not settled with the other side.
var ErrNoEvents = errors.New("phone: the other side takes no telephone-event digits")

// SendDigits presses keys, one of 0-9 * # A-D each, and waits until they are
// sent.
func (c *Call) SendDigits(ctx context.Context, digits string) error {
	return c.SendEvents(ctx, digits, EventOptions{})
}

// SendEvents presses keys as SendDigits does, by options.
func (c *Call) SendEvents(ctx context.Context, digits string, o EventOptions) error {
	if err := areKeys(digits); err != nil {
		return err
	}
	if o.Hold == 0 {
		o.Hold = keyHold
	}
	if o.Hold > holdMost {
		return fmt.Errorf("phone: a key cannot be held for longer than %v", holdMost)
	}
	c.mu.Lock()
	if c.remote.TelephoneEvent == 0 {
		c.mu.Unlock()
		return ErrNoEvents
	}
	c.mouth.keys.faults.Faults = o.Faults
	for i := range len(digits) {
		c.mouth.keys.queue = append(c.mouth.keys.queue, press{digits[i], o})
	}
	c.mu.Unlock()
	return c.wait(ctx, "the keys to be sent", func() bool { return !c.mouth.keys.pressing() })
}

func areKeys(digits string) error {
	if strings.Trim(digits, "0123456789*#ABCD") != "" {
		return fmt.Errorf("phone: %q has characters that are no keys", digits)
	}
	return nil
}

// keys are those yet to be sent, the first perhaps in part.
type keys struct {
	queue  []press
	begun  uint32 // timestamp of the first
	down   int    // samples of it that are behind us
	ends   int    // how often its end was told
	rested int    // samples of the pause behind it
	faults faults
}

// press is a key to be pressed.
type press struct {
	key byte
	EventOptions
}

func (k *keys) pressing() bool { return len(k.queue) > 0 }

// event makes the next packet of the first key, or nothing in the pause behind
// it. One that the line is sure to lose is empty.
func (m *mouth) event(payloadType uint8) []byte {
	k, p := &m.keys, m.keys.queue[0]
	if k.ends == keyEnds {
		if k.rested += int(m.size); k.rested >= samples(keyPause) {
			*k = keys{queue: k.queue[1:], faults: k.faults}
		}
		return nil
	}
	m.header.Marker = k.down == 0
	if k.down == 0 {
		k.begun = m.header.Timestamp
	}
	hold := samples(p.Hold)
	code, _ := dtmf.Code(p.key)
	payload := []byte{code, 10, 0, 0}
	if k.down >= hold {
		k.ends++
		payload[1] |= 0x80
	}
	k.down = min(k.down+int(m.size), hold)
	payload[2], payload[3] = byte(k.down>>8), byte(k.down)
	if packet := m.packet(k.begun, payloadType, payload); k.ends == 0 || !p.LoseEnds {
		return packet
	}
	return []byte{}
}

// faults is a bad line.
type faults struct {
	Faults
	chance *rand.Rand
	kept   []byte // to come behind the next one
}

// pass gives what comes out of the line when a packet goes in: nothing of an
// empty one, and when there is none, what was kept back.
func (f *faults) pass(packet []byte) (out [][]byte) {
	if f.chance == nil {
		f.chance = rand.New(rand.NewPCG(1, 1))
	}
	switch {
	case len(packet) == 0 || f.chance.Float64() < f.Lose:
	case f.Twice:
		out = [][]byte{packet, packet}
	case f.Swap && f.kept == nil:
		f.kept = packet
	default:
		out = [][]byte{packet}
	}
	if f.kept != nil && (len(out) > 0 || packet == nil) {
		out, f.kept = append(out, f.kept), nil
	}
	return out
}
