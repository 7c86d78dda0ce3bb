// SPDX-License-Identifier: MIT

package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/dialects"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/plane"
	"github.com/callwright/callwright/media/prompt"
	"github.com/callwright/callwright/media/tone"
	"github.com/callwright/callwright/store/settings"
	"github.com/callwright/callwright/transport/api"
	"github.com/callwright/callwright/transport/api/admin"
	"github.com/callwright/callwright/transport/api/sipgate"
	"github.com/callwright/callwright/transport/sip"
	"github.com/callwright/callwright/transport/webhook"
)

// grace is how long deliveries may take after the last call has ended.
const grace = 15 * time.Second

// Server is a running callwright.
type Server struct {
	Engine *engine.Engine
	Store  Store
	// Settings are the configured objects.
	Settings *settings.Settings
	// Token is the admin token.
	Token string
	SIP   *sip.Server
	API   *api.Server
	// links are how apps fetch recordings.
	links *sipgate.Links
	// bearerKey signs bearer tokens.
	bearerKey []byte
	// publicKey tells apps what this server signed; nil when it signs nothing.
	publicKey []byte
	stops     []func() error // in the order of starting
}

// Start builds and starts everything. What was started is stopped again when
// something cannot be; the error says what, and what to change.
func Start(ctx context.Context, c config.Config, log *slog.Logger) (_ *Server, err error) {
	s := &Server{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	if err := s.openStore(ctx, c, log); err != nil {
		return nil, err
	}
	d := s.Settings.Directory()
	sound, err := plane.New(plane.Config{Listen: netip.MustParseAddr(c.Media.Listen), Ports: c.Media.Ports, Logger: log})
	if err != nil {
		return nil, err
	}
	s.started(quietly(sound.Close))
	client, err := s.makeClient(c, log)
	if err != nil {
		return nil, err
	}
	tones := prompt.NewTones(cmp.Or(c.Media.Tones, tone.DefaultCountry))
	ringback, err := tones.Prompt(tone.Ringing)
	if err != nil {
		return nil, err
	}
	hold, notice, err := talkTones(tones)
	if err != nil {
		return nil, err
	}
	prompts := webhook.NewPrompts(webhook.PromptsConfig{Client: client, Tones: tones})
	s.started(quietly(prompts.Close))
	speaker, err := s.makeSpeaker(c, log)
	if err != nil {
		return nil, err
	}
	talked, err := s.Store.Talked(ctx, engine.Midnight(time.Now()))
	if err != nil {
		return nil, fmt.Errorf("look how long calls have lasted today: %w", err)
	}
	if err := s.makeSIP(ctx, c, sound, log); err != nil {
		return nil, err
	}
	s.Engine = engine.New(engine.Config{
		Directory: d, Dialects: dialects.Engine(),
		Dialer: s.SIP, Location: s.SIP, Sound: sound, Recorder: sound, Fetcher: client, Prompts: prompts, Speaker: speaker, Journal: s.Store, Logger: log,
		Node: node(c), Limits: c.Limits.Engine(), Talked: talked, Recordings: c.Recordings, Ringback: ringback, HoldTone: hold, Notice: notice,
		Kept: s.Store, Indicator: s.SIP, Language: c.Speech.Language, Files: prompt.Files{}, Greetings: greetings{s.Settings}, AudioURL: s.links.URL,
		Messages: engine.MessageLimits{Longest: c.Voicemail.MaxLength, Silence: c.Voicemail.Silence, Most: c.Voicemail.MaxMessages},
	})
	s.started(quietly(func() {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		s.Engine.Shutdown(now, grace)
	}))
	if err := s.recover(ctx, c, log); err != nil {
		return nil, err
	}
	if err := s.SIP.Start(s.Engine); err != nil {
		return nil, err
	}
	warnOfEmergency(d, c.Limits.Emergency, log)
	return s, s.startAPI(c, log)
}

// makeSIP makes the SIP side, which is not reachable yet.
func (s *Server) makeSIP(ctx context.Context, c config.Config, sound *plane.Plane, log *slog.Logger) error {
	registrations, err := s.Store.Registrations(ctx)
	if err != nil {
		return fmt.Errorf("look where phones are registered: %w", err)
	}
	advertised, _ := netip.ParseAddr(c.Media.Advertise) // empty means none
	s.SIP = sip.New(sip.Config{
		Listen: c.SIP.Listen, Advertise: c.SIP.Advertise, MediaAdvertise: advertised,
		Connections: openFiles() / 4, // sound, the database and the apps need some as well
		TLS:         sip.TLS(c.SIP.TLS), Proxies: c.SIP.Proxies, SessionExpires: c.SIP.SessionExpires, MediaTimeout: c.Media.Timeout,
		Directory: s.Settings.Directory(), Media: sound, Log: log,
		Journal: s.Store, Saved: registrations, Node: node(c), Mailboxes: s.Store,
	})
	s.started(s.SIP.Close)
	return nil
}

// talkTones are what parties of a conversation hear while they are on hold, and
// before they are recorded.
func talkTones(tones *prompt.Tones) (hold, notice *media.Prompt, err error) {
	if hold, err = tones.Prompt("425/200,0/3800"); err == nil {
		notice, err = tones.Prompt("1400/200,0/200,1400/200,0/200,1400/400,0/400")
	}
	return hold, notice, err
}

// startAPI serves the faces. It stops first, so that nobody is told that the
// server is ready while it ends.
func (s *Server) startAPI(c config.Config, log *slog.Logger) error {
	var err error
	if s.Token, err = adminToken(c, log); err != nil {
		return err
	}
	s.API = api.New(api.Config{
		Listen: c.HTTP.Listen, Token: s.Token, Logger: log, Connections: openFiles() / 4, Proxies: c.HTTP.Proxies,
		Checks: []api.Check{
			{Name: "journal", Run: func(context.Context) error { return s.Store.Health() }},
			{Name: "database", Run: s.Store.Ping, Spare: true}, // the journal takes what it cannot
		},
	})
	s.API.MountAdmin("/api/v1", admin.New(admin.Config{
		Calls: s.Store, Feed: s.Store, Settings: s.Settings, Actions: s.Engine, Registrations: s.SIP, Trunks: s.SIP,
		Recordings: s.Store, Keeper: s.Engine, Folder: c.Recordings,
	}))
	s.mountSipgate(c, log)
	if err := s.API.Start(); err != nil {
		return err
	}
	s.started(quietly(func() {
		limited, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := s.API.Shutdown(limited); err != nil {
			log.Info("requests were cut off", "err", err) // their senders see it
		}
	}))
	return nil
}

// recover ends the calls that an earlier run left open: this machine's or, in a
// file, all, because the machine may have had another name.
func (s *Server) recover(ctx context.Context, c config.Config, log *slog.Logger) error {
	owner := node(c)
	if _, file := sqliteFile(c.Database); file {
		owner = ""
	}
	open, err := s.Store.OpenRecords(ctx, owner)
	if err != nil {
		return fmt.Errorf("look for calls that an earlier run left open: %w", err)
	}
	for _, r := range open {
		last, err := s.Store.LastEvent(ctx, r.ID)
		if err != nil {
			return fmt.Errorf("look for calls that an earlier run left open: %w", err)
		}
		s.Engine.Recover(r, last)
	}
	if len(open) > 0 {
		log.Warn("ended the calls that an earlier run left open", "calls", len(open))
	}
	return nil
}

// quietly is a stop that cannot fail.
func quietly(stop func()) func() error {
	return func() error { stop(); return nil }
}

// started notes how to stop what was just started.
func (s *Server) started(stop func() error) { s.stops = append(s.stops, stop) }

// Drain takes no new calls and says so to whoever asks, by HTTP or OPTIONS. It
// returns when the last call has ended, or when ctx ends.
func (s *Server) Drain(ctx context.Context) {
	s.API.Drain()
	s.SIP.Drain()
	s.Engine.Drain(ctx)
}

// Stop hangs up every call, writes every record, tells every app, and stops
// everything in the opposite order of starting. The error says what could not
// be done, such as records that are not written.
func (s *Server) Stop() error {
	var errs []error
	for _, stop := range slices.Backward(s.stops) {
		errs = append(errs, stop())
	}
	s.stops = nil
	return errors.Join(errs...)
}

// Loopback says whether a URL leads to this very machine.
func Loopback(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

// node names this machine in records.
func node(c config.Config) string {
	if c.Node != "" {
		return c.Node
	}
	name, err := os.Hostname()
	if err != nil {
		return "callwright"
	}
	return name
}
