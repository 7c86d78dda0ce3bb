// SPDX-License-Identifier: MIT

package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/sample"
	"github.com/callwright/callwright/cmd/callwright/internal/server"
	"github.com/callwright/callwright/examples/reception"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/phone"
)

const (
	// limit is how long the demo may take, on a machine that is slow or busy.
	limit = 2 * time.Minute
	// talk is how long the phones listen to each other, and tries how often: a
	// machine that has other things to do tears the sound.
	talk, tries = 3 * time.Second, 10
	// number is what phone A calls, target who the app connects it with.
	number, target = "+4921112345", "+4930222222"
	// The phones' tones, in Hz: neither is a harmonic of the other.
	toneA, toneB = 440, 1000
)

// stage is everything that takes part.
type stage struct {
	show *show
	a, b *phone.Phone
	app  *sample.App
	*server.Server
}

// Run runs the call and prints it to out. The error says which step failed.
func Run(ctx context.Context, out io.Writer, log *slog.Logger) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the demo took longer than %s", limit))
	defer cancel()
	folder, err := os.MkdirTemp("", "callwright-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the records: %w", err)
	}
	defer os.RemoveAll(folder)
	s := &stage{show: newShow(out)}
	defer func() { err = errors.Join(because(ctx, err), s.clear()) }()
	if err := s.set(ctx, folder, log); err != nil {
		return err
	}
	following, stop := context.WithCancel(ctx)
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		s.show.follow(following, s.Store)
	}()
	defer func() { stop(); <-followed }()
	if err := s.play(ctx); err != nil {
		return err
	}
	return s.showRecord(ctx)
}

// because adds to the error of a step why the demo was ended, where it was: a
// database that is interrupted says no more than that its context ended.
func because(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if err == nil || cause == nil || errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// set starts the phones, the app and the server.
func (s *stage) set(ctx context.Context, folder string, log *slog.Logger) (err error) {
	s.a, err = phone.New(phone.Config{Listen: "127.0.0.1:0", User: "+4930111111", Tone: toneA, Codecs: []media.Codec{media.PCMU}})
	if err != nil {
		return fmt.Errorf("start phone A: %w", err)
	}
	s.b, err = phone.New(phone.Config{Listen: "127.0.0.1:0", User: target, Tone: toneB, Codecs: []media.Codec{media.PCMA}})
	if err != nil {
		return fmt.Errorf("start phone B: %w", err)
	}
	if s.app, err = sample.Start(reception.Config{Connect: target}); err != nil {
		return err
	}
	c := config.Default()
	c.HTTP.Listen = "127.0.0.1:0"
	c.SIP.Listen = []string{"udp://127.0.0.1:0"}
	c.Media = config.Media{Listen: "127.0.0.1", Ports: "0"}
	c.Database, c.DataDir = "sqlite:"+filepath.Join(folder, "callwright.db"), folder
	c.Apps = []config.App{{Key: "demo", Dialect: "sipgate", IncomingURL: s.app.URL}}
	c.Numbers = []config.Number{{Number: number, App: "demo"}}
	c.Trunks = []config.Trunk{{
		Name: "demo", Address: s.b.Addr().String(),
		AllowFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
	}}
	if s.Server, err = server.Start(ctx, c, log); err != nil {
		return err
	}
	s.show.say("callwright", "SIP on %s, HTTP on %s, records in %s", s.SIP.Addr("udp"), s.API.Addr(), c.Database)
	s.show.say("app", "a sample customer app on %s", s.app.URL)
	s.show.say("phone A", "%s, µ-law, plays %d Hz", s.a.URI(), toneA)
	s.show.say("phone B", "%s, A-law, plays %d Hz", s.b.URI(), toneB)
	return nil
}

// clear stops what set started, the server first.
func (s *stage) clear() (err error) {
	if s.Server != nil {
		err = s.Stop()
	}
	if s.app != nil {
		s.app.Stop()
	}
	for _, p := range []*phone.Phone{s.a, s.b} {
		if p != nil {
			err = errors.Join(err, p.Close())
		}
	}
	return err
}

// play is the call: A calls, types its PIN, and talks to B, who hangs up.
func (s *stage) play(ctx context.Context) error {
	s.show.say("phone A", "calls %s", number)
	a, err := s.a.Dial("sip:"+number+"@"+s.SIP.Addr("udp").String(), phone.CallOptions{})
	if err != nil {
		return err
	}
	if err := a.WaitSound(ctx, phone.Level-20); err != nil {
		return fmt.Errorf("phone A waits for the prompt: %w", err)
	}
	s.show.say("phone A", "hears the prompt")
	if err := pause(ctx, time.Second); err != nil {
		return err
	}
	s.show.say("phone A", "types %s", reception.PIN)
	if err := a.SendDigits(ctx, reception.PIN); err != nil {
		return fmt.Errorf("phone A types its PIN: %w", err)
	}
	b, err := s.b.Accept(ctx)
	if err != nil {
		return fmt.Errorf("after the PIN, phone B should ring: %w", err)
	}
	s.show.say("phone B", "rings, called by %s", b.From.URI)
	if err := errors.Join(b.Ring(), pause(ctx, time.Second), b.Answer()); err != nil {
		return fmt.Errorf("phone B picks up: %w", err)
	}
	if err := a.WaitAnswer(ctx); err != nil {
		return fmt.Errorf("phone A waits for an answer: %w", err)
	}
	s.show.say("phone B", "picked up; both listen for %s", talk)
	if err := s.converse(ctx, a, b); err != nil {
		return err
	}
	s.show.say("phone B", "hangs up")
	b.Hangup()
	if _, err := a.WaitEnd(ctx); err != nil {
		return fmt.Errorf("when phone B hangs up, phone A's call should end: %w", err)
	}
	return nil
}

// converse has each phone wait for the other's tone, listen to it and judge.
func (s *stage) converse(ctx context.Context, a, b *phone.Call) error {
	both, ctx := errgroup.WithContext(ctx)
	for name, ear := range map[string]struct {
		call *phone.Call
		hz   float64
	}{"phone A": {a, toneB}, "phone B": {b, toneA}} {
		both.Go(func() error {
			if err := ear.call.WaitTone(ctx, ear.hz, phone.Level-3); err != nil {
				return fmt.Errorf("%s waits for the other's tone: %w", name, err)
			}
			return s.listen(ctx, name, ear.call, ear.hz)
		})
	}
	return both.Wait()
}

// listen has a phone listen to the other's tone, and judge.
func (s *stage) listen(ctx context.Context, name string, call *phone.Call, hz float64) error {
	for try := 1; ; try++ {
		verdict, err := call.Listen(ctx, talk, hz)
		if err != nil {
			return fmt.Errorf("%s listens: %w", name, err)
		}
		s.show.say(name, "heard %s", verdict)
		switch err := verdict.Check(); {
		case err == nil:
			return nil
		case try == tries:
			return fmt.Errorf("%s did not hear the other as it should: %w", name, err)
		default:
			s.show.say(name, "listens again, for that was not as it should be: %s", err)
		}
	}
}

// pause waits a moment, as people do.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
