// SPDX-License-Identifier: MIT

package server_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/phone"
)

// Every way of keys with every fault of its line, and mixes of ways: each key
// that was pressed counts once, and nothing else does.
func TestDigitMatrix(t *testing.T) {
	t.Parallel()
	const keys = "0123456789*#ABCD"
	events := func(keys string, o phone.EventOptions) act {
		return func(ctx context.Context, c *phone.Call) error { return c.SendEvents(ctx, keys, o) }
	}
	infos := func(keys string, o phone.InfoOptions) act {
		return func(ctx context.Context, c *phone.Call) error { return c.SendInfo(ctx, keys, o) }
	}
	play := func(sound []int16) act {
		return func(ctx context.Context, c *phone.Call) error { return c.Play(ctx, sound) }
	}
	noisy := func(keys string, noise []int16) act {
		return func(ctx context.Context, c *phone.Call) error {
			return c.SendTones(ctx, keys, phone.ToneOptions{Noise: noise})
		}
	}
	inband := phone.Config{NoEvents: true}
	long := 3 * time.Second
	voice := speech(4*media.SampleRate, 0.2)
	all := []conversation{
		{name: "telephone-event: clean", act: byEvent("0123456789*#55"), keys: "0123456789*#55"},
		{name: "telephone-event: 30 % lost", act: events("112255*#", phone.EventOptions{Faults: phone.Faults{Lose: 0.3}}), keys: "112255*#"},
		{name: "telephone-event: all twice", act: events("112255*#", phone.EventOptions{Faults: phone.Faults{Twice: true}}), keys: "112255*#"},
		{name: "telephone-event: out of order", act: events("112255*#", phone.EventOptions{Faults: phone.Faults{Swap: true}}), keys: "112255*#"},
		{name: "telephone-event: all ends lost", act: events("112255*#", phone.EventOptions{Faults: phone.Faults{LoseEnds: true}}), keys: "112255*#"},
		{name: "telephone-event: lost, twice and no ends", act: events("112255*#", phone.EventOptions{Faults: phone.Faults{Lose: 0.3, Twice: true, LoseEnds: true}}), keys: "112255*#"},
		{name: "telephone-event: 3 s long", act: events("5", phone.EventOptions{Hold: long}), keys: "5"},
		{name: "telephone-event: 3 s long, 30 % lost", act: events("5", phone.EventOptions{Hold: long, Faults: phone.Faults{Lose: 0.3}}), keys: "5"},
		{name: "telephone-event: 30 ms short", act: events("112255", phone.EventOptions{Hold: 30 * time.Millisecond}), keys: "112255"},
		{name: "INFO: relay", act: infos(keys+"55", phone.InfoOptions{}), keys: keys + "55"},
		{name: "INFO: plain", act: infos(keys+"55", phone.InfoOptions{Plain: true}), keys: keys + "55"},
		{name: "inband: clean", phone: inband, act: byTone("0123456789*#55"), keys: "0123456789*#55"},
		{name: "inband: 40 ms short", phone: inband, act: short(keys + "55"), keys: keys + "55"},
		{name: "inband: 3 s long", phone: inband, act: held("5", long), keys: "5"},
		{name: "inband: before a noise", phone: inband, act: noisy("112255*#", hiss(media.SampleRate, 0.01)), keys: "112255*#"},
		{name: "inband: speech only", phone: inband, act: play(voice), keys: ""},
		{name: "inband: in a pause of speech", phone: inband, act: inTurn(play(voice[:media.SampleRate]), byTone("15*"), play(voice[:media.SampleRate])), keys: "15*"},
		{name: "inband: where telephone-event was agreed on", act: byTone("12"), keys: ""},
		{name: "telephone-event + INFO", act: both("115*#5", byEvent, func(k string) act { return infos(k, phone.InfoOptions{}) }), keys: "115*#5"},
		{name: "telephone-event + INFO: 30 % lost", act: both("115*#5", func(k string) act {
			return events(k, phone.EventOptions{Faults: phone.Faults{Lose: 0.3}})
		}, func(k string) act { return infos(k, phone.InfoOptions{Plain: true}) }), keys: "115*#5"},
		{name: "telephone-event + INFO at the end: 3 s long", act: inTurn(events("5", phone.EventOptions{Hold: long}), infos("5", phone.InfoOptions{Hold: long})), keys: "5"},
		{name: "telephone-event + inband", act: both("115*#5", func(k string) act { return events(k, phone.EventOptions{Aloud: true}) }, byTone), keys: "115*#5"},
		{name: "INFO + inband", phone: inband, act: both("115*#5", func(k string) act { return infos(k, phone.InfoOptions{}) }, byTone), keys: "115*#5"},
		{name: "telephone-event + INFO + inband", act: both("115*#5", func(k string) act {
			return both(k, func(k string) act { return events(k, phone.EventOptions{Aloud: true}) }, func(k string) act { return infos(k, phone.InfoOptions{}) })
		}, byTone), keys: "115*#5"},
		{name: "telephone-event, and INFO for some", act: inTurn(byEvent("5"), infos("5", phone.InfoOptions{}), byEvent("55")), keys: "555"},
	}
	converse(t, all)
	t.Log("way and fault -> counted")
	for _, c := range all {
		t.Logf("%-48s %-18q of %q", c.name, c.counted, c.keys)
	}
}

// act is what a phone does.
type act = func(context.Context, *phone.Call) error

// both presses each key in two ways at once.
func both(keys string, one, other func(string) act) act {
	return func(ctx context.Context, c *phone.Call) error {
		for _, key := range strings.Split(keys, "") {
			done := make(chan error)
			go func() { done <- one(key)(ctx, c) }()
			err := other(key)(ctx, c)
			if err = errors.Join(err, <-done); err != nil {
				return err
			}
		}
		return nil
	}
}

// short and held press keys in the sound as quick and slow fingers do.
func short(keys string) act { return held(keys, 40*time.Millisecond) }

func held(keys string, hold time.Duration) act {
	return func(ctx context.Context, c *phone.Call) error {
		return c.SendTones(ctx, keys, phone.ToneOptions{Hold: hold})
	}
}

// hiss is noise of a loudness, where 1 is the loudest.
func hiss(n int, loud float64) []int16 {
	chance := rand.New(rand.NewPCG(2, 2))
	sound := make([]int16, n)
	for i := range sound {
		sound[i] = int16(loud * math.MaxInt16 * (2*chance.Float64() - 1))
	}
	return sound
}

// speech is like somebody talking: the harmonics of a pitch that glides, loud
// where the mouth resonates, in syllables with pauses between.
func speech(n int, loud float64) []int16 {
	chance := rand.New(rand.NewPCG(3, 3))
	sound := make([]int16, n)
	phase, first, second := 0.0, 500.0, 1500.0
	for i := range sound {
		at := float64(i) / media.SampleRate
		if i%1600 == 0 { // the next syllable
			first, second = 300+500*chance.Float64(), 900+1500*chance.Float64()
		}
		pitch := 130 + 30*math.Sin(2*math.Pi*0.7*at)
		phase += 2 * math.Pi * pitch / media.SampleRate
		v := 0.0
		for h := 1.0; h*pitch < 3600; h++ {
			hz := h * pitch
			v += math.Sin(h*phase) * (math.Exp(-math.Abs(hz-first)/150) + 0.5*math.Exp(-math.Abs(hz-second)/200))
		}
		syllable := max(0, math.Sin(2*math.Pi*2.5*at))
		sound[i] = int16(max(-1, min(1, loud*v*syllable)) * math.MaxInt16)
	}
	return sound
}

// The keys of one party reach the other in the way that it wants, or as far as
// it takes them, each once.
func TestKeysGoEachWay(t *testing.T) {
	t.Parallel()
	const keys = "1592*0#55"
	all := []struct {
		name, dtmf string
		bob        phone.Config
		want       media.DigitWay
	}{
		{"telephone-event", directory.DTMFAuto, phone.Config{}, media.ByEvent},
		{"telephone-event, beside packets of 40 ms", directory.DTMFAuto, phone.Config{PacketTime: 40 * time.Millisecond}, media.ByEvent},
		{"tones for who has no telephone-event", directory.DTMFAuto, phone.Config{NoEvents: true}, media.ByTone},
		{"INFO", directory.DTMFInfo, phone.Config{}, media.ByInfo},
		{"INFO refused", directory.DTMFInfo, phone.Config{NoInfo: true}, media.ByEvent},
		{"INFO refused, no telephone-event", directory.DTMFInfo, phone.Config{NoInfo: true, NoEvents: true}, media.ByTone},
		{"tones for who wants them", directory.DTMFInband, phone.Config{}, media.ByTone},
	}
	bobs := make([]*phone.Phone, len(all))
	s := start(t, "http://127.0.0.1:1/", func(c *config.Config) {
		for i, tc := range all {
			tc.bob.Listen, tc.bob.User = "127.0.0.1:0", fmt.Sprint("bob", i)
			bob, err := phone.New(tc.bob)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { bob.Close() })
			bobs[i] = bob
			c.Users = append(c.Users, config.User{ID: tc.bob.User, Contact: bob.URI(), DTMF: tc.dtmf})
			c.Numbers = append(c.Numbers, config.Number{Number: fmt.Sprint("+493000", i), Users: []string{tc.bob.User}})
		}
	})
	alice := newPhone(t, "+4930111")
	var talking sync.WaitGroup
	for i, tc := range all {
		talking.Go(func() {
			out, err := alice.Dial(fmt.Sprintf("sip:+493000%d@%s", i, s.SIP.Addr("udp")), phone.CallOptions{})
			if err != nil {
				t.Errorf("%s: %v", tc.name, err)
				return
			}
			defer out.Hangup()
			in, err := bobs[i].Accept(t.Context())
			if err == nil {
				err = errors.Join(in.Answer(), out.WaitAnswer(t.Context()), in.WaitAnswer(t.Context()),
					out.SendDigits(t.Context(), keys), in.WaitDigits(t.Context(), tc.want, len(keys)))
			}
			if err != nil {
				t.Errorf("%s: %v", tc.name, err)
				return
			}
			for _, way := range []media.DigitWay{media.ByEvent, media.ByTone, media.ByInfo} {
				want := map[media.DigitWay]string{tc.want: keys}[way]
				if got := in.DigitsBy(way); got != want {
					t.Errorf("%s: by %s %q, want %q", tc.name, way, got, want)
				}
			}
		})
	}
	talking.Wait()
}
