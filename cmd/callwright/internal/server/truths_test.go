// SPDX-License-Identifier: MIT

package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/server"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/tone"
	"github.com/callwright/callwright/media/wav"
	"github.com/callwright/callwright/transport/sip/phone"
)

// The prompt that callers hear in these tests.
const (
	promptHz   = 1000
	promptTime = 4 * time.Second
)

// menu is an app that answers with the prompt and waits for keys ever after.
func menu(t *testing.T) *httptest.Server {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prompt.wav")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := wav.NewWriter(f, wav.PCM, 1)
	if err == nil {
		sound := tone.Make(int(promptTime*media.SampleRate/time.Second), phone.Level, promptHz)
		err = errors.Join(w.WriteSamples(sound), w.Close())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	app := httptest.NewServer(mux)
	t.Cleanup(app.Close)
	mux.HandleFunc("GET /prompt.wav", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, path) })
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprintf(w, `<Response><Play><Url>%s/prompt.wav</Url></Play><Gather onData=%[1]q timeout="600000" maxDigits="99"/></Response>`, app.URL)
	})
	return app
}

// conversation is a call of the menu by a phone that does something while the
// prompt plays.
type conversation struct {
	name  string
	phone phone.Config
	act   func(context.Context, *phone.Call) error
	// keys are those that must count; away is how many frames of the prompt may
	// be missing.
	keys string
	away int
	// What came of it, and how late this process was at most.
	err     error
	counted string
	heard   []int16
	late    time.Duration
}

// A conversation is held so often; one whose sound was damaged says nothing where
// this process was busy late: then the packets of its phone were, too.
const (
	tries = 6
	busy  = 40 * time.Millisecond
)

// converse holds conversations with one server, all at once. One whose sound was
// damaged, because the machine did not keep up, is held again by itself.
func converse(t *testing.T, all []conversation) {
	t.Helper()
	answering := false
	s := start(t, menu(t).URL, func(c *config.Config) { c.Apps[0].EarlyMedia = &answering })
	var talking sync.WaitGroup
	for i := range all {
		c := &all[i]
		c.phone.Listen, c.phone.User = "127.0.0.1:0", fmt.Sprint("+4930", 1000+i)
		talking.Go(func() { c.err = c.hold(t.Context(), s.SIP.Addr("udp")) })
	}
	talking.Wait()
	for i := range all {
		t.Run(all[i].name, func(t *testing.T) {
			c, damaged := &all[i], false
			for try := 1; ; try++ {
				c.counted, damaged = counted(t, s, c.phone.User)
				damaged = damaged || c.late > time.Second // a server forgets keys that come all at once then
				wrong := c.check()
				if wrong == nil {
					return
				}
				switch {
				case damaged && try == tries && c.late > busy:
					t.Logf("the machine is too busy to say: a timer was %s late, and the sound was damaged %d times: %v", c.late, tries, wrong)
					return // not skipped: that is for what a machine has not got
				case !damaged || try == tries:
					t.Fatal(wrong)
				}
				c.phone.User += "9"
				c.err = c.hold(t.Context(), s.SIP.Addr("udp"))
			}
		})
	}
}

// check says what is wrong with what came of a conversation.
func (c *conversation) check() error {
	if c.err != nil {
		return c.err
	}
	var wrong []error
	if c.counted != c.keys {
		wrong = append(wrong, fmt.Errorf("counted %q, want %q", c.counted, c.keys))
	}
	want := int(promptTime / media.FrameDuration)
	if whole, away := frames(c.heard); whole < want-1 || whole > want+1 || away > c.away {
		wrong = append(wrong, fmt.Errorf("the prompt of %d frames was heard over %d, %d of them missing", want, whole, away))
	}
	return errors.Join(wrong...)
}

// hold holds one conversation, until the prompt is over.
func (c *conversation) hold(ctx context.Context, server netip.AddrPort) error {
	watched := watchTime()
	defer func() { c.late = watched() }()
	p, err := phone.New(c.phone)
	if err != nil {
		return err
	}
	defer p.Close()
	out, err := p.Dial("sip:+4921112345@"+server.String(), phone.CallOptions{})
	if err != nil {
		return err
	}
	for _, wait := range []func() error{
		func() error { return out.WaitAnswer(ctx) },
		func() error { return out.WaitTone(ctx, promptHz, phone.Level-3) },
		func() error { return c.act(ctx, out) },
		func() error { return silence(ctx, out) },
	} {
		if err := wait(); err != nil {
			return err
		}
	}
	c.heard = out.Sound()
	out.Hangup()
	_, err = out.WaitEnd(ctx)
	return err
}

// silence waits until 600 ms of it came, which is not the same as nothing.
func silence(ctx context.Context, c *phone.Call) error {
	const enough = 30
	for range 600 {
		heard := c.Sound()
		last := heard[max(len(heard)-enough*media.FrameSize, 0):]
		if len(last) == enough*media.FrameSize && slices.Max(tone.Levels(last, promptHz)) < -50 {
			return nil
		}
		if _, err := c.Listen(ctx, 100*time.Millisecond, 0); err != nil { // the call is over
			return err
		}
	}
	return errors.New("no silence came for a minute")
}

// watchTime looks at the time again and again, as phones do, until it is asked how
// late it was at most.
func watchTime() (worst func() time.Duration) {
	late, stop := make(chan time.Duration), make(chan struct{})
	go func() {
		most := time.Duration(0)
		for due := time.Now().Add(media.FrameDuration); ; due = time.Now().Add(media.FrameDuration) {
			select {
			case <-time.After(media.FrameDuration):
				most = max(most, time.Since(due))
			case <-stop:
				late <- most
				return
			}
		}
	}()
	return func() time.Duration { close(stop); return <-late }
}

// counted gives the keys of a call by who called, as its timeline has them, and
// whether some of its sound was not there in time.
func counted(t *testing.T, s *server.Server, caller string) (keys string, damaged bool) {
	t.Helper()
	var events []engine.Event
	until(t, "the end of the call", func() bool {
		if err := s.Store.Applied(t.Context()); err != nil {
			t.Fatal(err)
		}
		records, _, err := s.Store.Calls(t.Context(), 100, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			if r.From.Value == caller && r.State == engine.StateEnded {
				if _, events, err = s.Store.Call(t.Context(), r.ID); err != nil {
					t.Fatal(err)
				}
				return true
			}
		}
		return false
	})
	for _, e := range events {
		switch e.Kind {
		case engine.EventDigit:
			keys += e.Data.Digits
		case engine.EventMedia:
			damaged = damaged || strings.Contains(e.Text, "concealed") || strings.Contains(e.Text, "late")
		}
	}
	return keys, damaged
}

// frames says for how many frames the prompt was heard, from first to last, and
// for how many of them it was away.
func frames(heard []int16) (whole, away int) {
	first, last, loud := -1, -1, 0
	for i, level := range tone.Levels(heard, promptHz) {
		if level > phone.Level-10 {
			if first < 0 {
				first = i
			}
			last, loud = i, loud+1
		}
	}
	whole = last - first + 1
	return whole, whole - loud
}

// inTurn does some things one after the other.
func inTurn(acts ...func(context.Context, *phone.Call) error) func(context.Context, *phone.Call) error {
	return func(ctx context.Context, c *phone.Call) error {
		for _, act := range acts {
			if err := act(ctx, c); err != nil {
				return err
			}
		}
		return nil
	}
}

// byEvent and byTone press keys as good phones do.
func byEvent(keys string) func(context.Context, *phone.Call) error {
	return func(ctx context.Context, c *phone.Call) error { return c.SendDigits(ctx, keys) }
}

func byTone(keys string) func(context.Context, *phone.Call) error {
	return func(ctx context.Context, c *phone.Call) error { return c.SendTones(ctx, keys, phone.ToneOptions{}) }
}

// Whatever a phone does with its sound in the middle of a call, the prompt is
// heard whole and every key counts, by telephone-event and in the sound.
func TestMediaTruths(t *testing.T) {
	t.Parallel()
	type truth struct {
		name       string
		packetTime time.Duration
		middle     func(context.Context, *phone.Call) error
		away       int
	}
	hush := func(noise bool) func(context.Context, *phone.Call) error {
		return func(ctx context.Context, c *phone.Call) error { return c.Hush(ctx, 600*time.Millisecond, noise) }
	}
	move := func(o phone.MoveOptions) func(context.Context, *phone.Call) error {
		return func(ctx context.Context, c *phone.Call) error { return c.Move(ctx, o) }
	}
	truths := []truth{
		{"comfort noise in a pause", 0, hush(true), 0},
		{"a pause without a word", 0, hush(false), 0},
		{"another SSRC", 0, func(_ context.Context, c *phone.Call) error {
			c.ChangeSource()
			return nil
		}, 0},
		// A router has lost its table: until the new port is found, which takes
		// some 400 ms of silence, what is sent to the old one is not heard.
		{"another port without a word", 0, func(ctx context.Context, c *phone.Call) error {
			return errors.Join(c.Rebind(), c.WaitTone(ctx, promptHz, phone.Level-3))
		}, 50},
		{"another port and another SSRC", 0, func(ctx context.Context, c *phone.Call) error {
			c.ChangeSource()
			return errors.Join(c.Rebind(), c.WaitTone(ctx, promptHz, phone.Level-3))
		}, 50},
		// A packet may be on its way when the phone moves.
		{"re-INVITE to another address", 0, move(phone.MoveOptions{Host: netip.MustParseAddr("127.0.0.3")}), 1},
		{"re-INVITE with another codec", 0, move(phone.MoveOptions{Prefer: true, Codec: media.PCMA}), 1},
	}
	for _, ms := range []time.Duration{10, 20, 30, 40, 50, 60} {
		truths = append(truths, truth{fmt.Sprint("packets of ", ms*time.Millisecond), ms * time.Millisecond, inTurn(), 0})
	}
	var all []conversation
	for _, tc := range truths {
		all = append(all,
			conversation{name: tc.name + ", telephone-event", phone: phone.Config{PacketTime: tc.packetTime},
				act: inTurn(byEvent("15*"), tc.middle, byEvent("#55")), keys: "15*#55", away: tc.away},
			conversation{name: tc.name + ", inband", phone: phone.Config{PacketTime: tc.packetTime, NoEvents: true},
				act: inTurn(byTone("15*"), tc.middle, byTone("#55")), keys: "15*#55", away: tc.away})
	}
	converse(t, all)
}
