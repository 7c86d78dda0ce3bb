// SPDX-License-Identifier: MIT

package testcall

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/phone"
)

const (
	// tolerable is which part of the packets may be lost before a call has a
	// fault.
	tolerable = 0.05
	// passing is how long a call must last for its sound to be missed.
	passing = 500 * time.Millisecond
	// numb is how long no packet may come at the end of a call.
	numb = 5 * time.Second
)

// conclude prints the verdict. The error says what was wrong with the call.
func (c *call) conclude(out io.Writer, end dialog.Ended) error {
	say := func(format string, args ...any) { fmt.Fprintf(out, "  "+format+"\n", args...) }
	fmt.Fprintln(out, "\nverdict")
	reason := end.Reason
	switch {
	case unsent(end):
		reason = "could not " + reason
	case end.By == dialog.Local:
		reason = "this phone " + reason // hung up, cancelled
	}
	if c.answered.IsZero() {
		say("not answered; after %s: %s", brief(time.Since(c.began)), reason)
	} else {
		say("answered after %s; %s later: %s", brief(c.answered.Sub(c.began)), brief(time.Since(c.answered)), reason)
	}
	figures := c.Heard()
	c.describe(say, figures)
	err := c.judge(figures, end)
	if c.o.Record != "" {
		saved := c.Save(c.o.Record)
		if saved == nil {
			say("what was heard is in %s", c.o.Record)
		}
		err = errors.Join(err, saved)
	}
	return err
}

// describe says what was heard.
func (c *call) describe(say func(string, ...any), v phone.Verdict) {
	if v.Packets == 0 {
		say("no sound came")
		return
	}
	sound := c.Sound()
	s := measure(sound)
	say("heard %s, of it %s of sound, at most %.0f dB; longest silence %s", brief(samples(len(sound))), brief(s.sounding), s.loudest, brief(s.silence))
	for _, t := range tones(sound) {
		say("tone of %.0f Hz for %s at %.1f dB, from %s on", t.hz, brief(t.duration), t.level, brief(t.at))
	}
	for _, keys := range []struct {
		way media.DigitWay
		how string
	}{{media.ByEvent, "telephone-event"}, {media.ByInfo, "SIP INFO"}} {
		if digits := c.DigitsBy(keys.way); digits != "" {
			say("keys %s by %s", digits, keys.how)
		}
	}
	say("%d packets: %d lost, %d twice, %d late; longest gap %.1f ms, jitter %.1f ms", v.Packets, v.Lost, v.Repeated, v.Late, millis(v.Gap), millis(v.Jitter))
}

// judge says what was wrong.
func (c *call) judge(v phone.Verdict, end dialog.Ended) error {
	switch {
	case c.fault != nil:
		return fmt.Errorf("the answer cannot be used: %w", c.fault)
	case c.answered.IsZero() && !c.heard:
		return fmt.Errorf("the call was not answered: %s%s", end.Reason, c.advice(end))
	case v.Packets == 0 && c.over.Sub(c.answered) < passing: // there was no time for it
		return nil
	case v.Packets == 0:
		return errors.New("the call was answered and no sound came: does the other side reach this address, and is it not behind a firewall?")
	case float64(v.Lost) > tolerable*float64(v.Packets+v.Lost):
		return fmt.Errorf("%d of %d packets were lost", v.Lost, v.Packets+v.Lost)
	case !c.answered.IsZero() && c.quiet() >= numb:
		return fmt.Errorf("no packet came in the last %s of the call: did the other side go away?", brief(c.quiet()))
	}
	return nil
}

// quiet is how long before the end of the call the last packet came.
func (c *call) quiet() time.Duration {
	packets := c.Packets()
	if len(packets) == 0 {
		return 0
	}
	return c.over.Sub(packets[len(packets)-1].Arrived)
}

// unsent says whether a call came to nothing before anything was sent.
func unsent(end dialog.Ended) bool {
	return end.By == dialog.Local && end.Status == 503
}

func brief(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// advice says what to do about what refused the call.
func (c *call) advice(end dialog.Ended) string {
	status := end.Status
	switch {
	case unsent(end):
		return isItThere
	case (status == 401 || status == 407) && c.o.Username == "":
		return ": give the --username and --password of a user"
	case (status == 401 || status == 407) && c.o.Password == "":
		return ": give the password, too, with --password or in SIP_PASSWORD"
	case status == 401 || status == 407:
		return ": are --username and --password right?"
	case status == 403:
		return ": the other side takes no calls from here; at callwright, trunks[].allow_from says from where"
	case status == 404:
		return ": the other side has no such number"
	}
	return ""
}

// samples is how long so many samples last.
func samples(n int) time.Duration { return time.Duration(n) * time.Second / media.SampleRate }

// measured is how much of a sound is one.
type measured struct {
	sounding, silence time.Duration // together; the longest in one piece
	loudest           float64       // of all 20 ms, in dB relative to full scale
}

func measure(sound []int16) measured {
	m := measured{loudest: math.Inf(-1)}
	quiet := time.Duration(0)
	for ; len(sound) >= media.FrameSize; sound = sound[media.FrameSize:] {
		level := loudness(sound[:media.FrameSize])
		m.loudest = max(m.loudest, level)
		if level >= audible {
			m.sounding += media.FrameDuration
			quiet = 0
			continue
		}
		quiet += media.FrameDuration
		m.silence = max(m.silence, quiet)
	}
	return m
}

// loudness is the level of all that sounds, in dB relative to a full-scale sine.
func loudness(sound []int16) float64 {
	power := 0.0
	for _, v := range sound {
		power += float64(v) * float64(v)
	}
	return 10 * math.Log10(max(power/float64(len(sound))/(math.MaxInt16*math.MaxInt16/2), 1e-12))
}
