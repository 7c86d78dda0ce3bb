// SPDX-License-Identifier: MIT

package phone

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/tone"
)

// What Check lets pass.
const (
	levelOff   = 1.5                   // dB that a tone may be louder or softer
	ownBelow   = 25.0                  // dB that our own tone must be below the one we play
	silenceMax = 60 * time.Millisecond // in one piece: three packets
)

// Verdict says what was heard over some time.
type Verdict struct {
	// Hz is the tone that was listened for, Level how loud it was in the middle
	// (median) of all 20 ms pieces, in dB relative to full scale.
	Hz, Level float64
	// Own is how loud the phone's own tone came back in the loudest tenth of
	// the pieces; tone.Silence if it plays none.
	Own float64
	// Silence is the longest time without the tone.
	Silence time.Duration
	// Packets came, Lost never did, Repeated came twice, Late came after a
	// later one.
	Packets, Lost, Repeated, Late int
	// Gap is the longest time between two packets, Jitter the median of how far
	// that is from what their timestamps say.
	Gap, Jitter time.Duration
}

// Listen listens until sound that lasts d has come, and says how hz was heard. That
// takes longer than d where the sound comes late, as on a machine with much to do.
func (c *Call) Listen(ctx context.Context, d time.Duration, hz float64) (Verdict, error) {
	c.mu.Lock()
	from, first := len(c.ear.sound), len(c.ear.packets)
	c.mu.Unlock()
	until := from + samples(d)
	if err := c.wait(ctx, d.String()+" of sound", func() bool { return len(c.ear.sound) >= until }); err != nil {
		return Verdict{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return judge(c.ear.sound[from:], c.ear.packets[first:], hz, c.phone.cfg.Tone), nil
}

// Heard gives the figures of all packets that came so far, and nothing of a
// tone. Each source counts on its own.
func (c *Call) Heard() Verdict {
	all := Verdict{Level: tone.Silence, Own: tone.Silence}
	c.mu.Lock()
	packets := slices.Clone(c.ear.packets)
	c.mu.Unlock()
	for len(packets) > 0 {
		n := slices.IndexFunc(packets, func(p Packet) bool { return p.SSRC != packets[0].SSRC })
		if n < 0 {
			n = len(packets)
		}
		var v Verdict
		v.count(packets[:n])
		all.Packets, all.Lost, all.Repeated, all.Late = all.Packets+v.Packets, all.Lost+v.Lost, all.Repeated+v.Repeated, all.Late+v.Late
		all.Gap, all.Jitter = max(all.Gap, v.Gap), max(all.Jitter, v.Jitter)
		packets = packets[n:]
	}
	return all
}

// judge measures what was heard.
func judge(sound []int16, packets []Packet, hz, own float64) Verdict {
	v := Verdict{Hz: hz, Level: tone.Silence, Own: tone.Silence}
	levels := tone.Levels(sound, hz)
	quiet, longest := 0, 0
	for _, l := range levels {
		if quiet++; l > Level-10 {
			quiet = 0
		}
		longest = max(longest, quiet)
	}
	v.Silence = time.Duration(longest) * media.FrameDuration
	if len(levels) > 0 {
		slices.Sort(levels)
		v.Level = levels[len(levels)/2]
	}
	if own > 0 {
		if levels := tone.Levels(sound, own); len(levels) > 0 {
			slices.Sort(levels)
			v.Own = levels[len(levels)*9/10]
		}
	}
	v.count(packets)
	return v
}

// count looks at the packets themselves.
func (v *Verdict) count(packets []Packet) {
	v.Packets = len(packets)
	if len(packets) == 0 {
		return
	}
	seen := map[uint16]bool{packets[0].Sequence: true}
	highest, span := packets[0].Sequence, 1
	var off []time.Duration
	for i, p := range packets[1:] {
		apart := p.Arrived.Sub(packets[i].Arrived)
		v.Gap = max(v.Gap, apart)
		if p.sound() && packets[i].sound() { // those of one key share a timestamp
			meant := time.Duration(int32(p.Timestamp-packets[i].Timestamp)) * time.Second / media.SampleRate
			off = append(off, (apart - meant).Abs())
		}
		switch ahead := int16(p.Sequence - highest); {
		case seen[p.Sequence]:
			v.Repeated++
		case ahead < 0:
			v.Late++
		default:
			span += int(ahead)
			highest = p.Sequence
		}
		seen[p.Sequence] = true
	}
	v.Lost = max(span-len(seen), 0)
	if len(off) > 0 {
		slices.Sort(off)
		v.Jitter = off[len(off)/2]
	}
}

// Check gives what is wrong with a conversation with somebody who plays Hz at
// Level; nil if all is well.
func (v Verdict) Check() error {
	var wrong []error
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if v.Packets == 0 {
		return errors.New("no sound came")
	}
	if v.Level < Level-levelOff || v.Level > Level+levelOff {
		add("%.0f Hz is at %.1f dB instead of %.1f", v.Hz, v.Level, Level)
	}
	if v.Own > Level-ownBelow {
		add("the phone hears its own tone at %.1f dB", v.Own)
	}
	if v.Silence > silenceMax {
		add("%.0f Hz is away for %v", v.Hz, v.Silence)
	}
	if v.Lost > 0 || v.Repeated > 0 || v.Late > 0 {
		add("of the packets, %d are lost, %d came twice, %d late", v.Lost, v.Repeated, v.Late)
	}
	return errors.Join(wrong...)
}

// String gives the figures in one line.
func (v Verdict) String() string {
	s := fmt.Sprintf("%.0f Hz at %.1f dB, longest silence %v, %d packets (%d lost), longest gap %.1f ms",
		v.Hz, v.Level, v.Silence, v.Packets, v.Lost, float64(v.Gap.Microseconds())/1000)
	if v.Own > tone.Silence {
		s += fmt.Sprintf(", own tone at %.1f dB", v.Own)
	}
	return s
}
