// SPDX-License-Identifier: MIT

package phone

import (
	"crypto/rand"
	"slices"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/srtp"
)

// kept is how many packets a call keeps as they were sent, to be sent again.
const kept = 50

// secrets are what a call's packets are encrypted with; a call without any sends
// them plain. They are as simple as those of most phones: another key begins
// anew.
type secrets struct {
	ours, theirs *media.Keys
	sealer       *srtp.Sealer
	unsealer     *srtp.Unsealer
	refused      int      // packets that were not the other side's
	sent         [][]byte // the last packets, as they were on the wire
}

// agree takes what was settled with the other side. c.mu is held.
func (c *Call) agree(r media.Remote) {
	c.remote = r
	x := &c.secrets
	var err error
	if !r.Ours.Equal(x.ours) {
		if x.sealer = nil; r.Ours != nil {
			x.sealer, err = srtp.NewSealer(r.Ours)
		}
	}
	if err == nil && !r.Theirs.Equal(x.theirs) {
		if x.unsealer = nil; r.Theirs != nil {
			x.unsealer, err = srtp.NewUnsealer(r.Theirs)
		}
	}
	x.ours, x.theirs = r.Ours, r.Theirs
	if err != nil {
		c.state.fault = err
	}
}

// seal gives a packet as it goes on the wire.
func (x *secrets) seal(packet []byte) []byte {
	if x.sealer != nil {
		sealed, err := x.sealer.SealRTP(slices.Grow(packet, srtp.Overhead))
		if err != nil {
			return nil
		}
		packet = sealed
	}
	x.sent = append(x.sent, slices.Clone(packet))
	if len(x.sent) > kept {
		x.sent = x.sent[1:]
	}
	return packet
}

// unseal gives a packet as it was; nil if it is not the other side's, or is of
// RTCP.
func (x *secrets) unseal(data []byte) []byte {
	if len(data) < 2 || data[1] >= 192 && data[1] <= 223 {
		return nil
	}
	if x.unsealer == nil {
		return data
	}
	packet, err := x.unsealer.UnsealRTP(data)
	if err != nil {
		x.refused++
		return nil
	}
	return packet
}

// Suite is how the call is encrypted, by the name that a=crypto has for it; empty
// is not at all.
func (c *Call) Suite() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.secrets.ours == nil {
		return ""
	}
	return c.secrets.ours.Suite.String()
}

// Refused is how many packets came that were not encrypted as was settled.
func (c *Call) Refused() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.secrets.refused
}

// Forge goes on with a key that nobody was told of, as somebody who does not know
// the right one.
func (c *Call) Forge() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.secrets.ours == nil {
		return nil
	}
	k := *c.secrets.ours
	k.Key = make([]byte, len(k.Key))
	rand.Read(k.Key)
	sealer, err := srtp.NewSealer(&k)
	if err == nil {
		c.secrets.sealer = sealer
	}
	return err
}

// Replay sends the last packets again, as they were, and says how many they are.
func (c *Call) Replay() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, packet := range c.secrets.sent {
		_, _ = c.line.now().WriteToUDPAddrPort(packet, c.remote.Addr)
	}
	return len(c.secrets.sent)
}
