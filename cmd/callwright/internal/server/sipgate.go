// SPDX-License-Identifier: MIT

package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/store/settings"
	"github.com/callwright/callwright/transport/api"
	"github.com/callwright/callwright/transport/api/sipgate"
	"github.com/callwright/callwright/transport/webhook"
	"github.com/callwright/callwright/verbs/builtin"
	"github.com/callwright/callwright/verbs/sipgateio"
)

// makeClient makes what asks and tells apps, and signs that.
func (s *Server) makeClient(c config.Config, log *slog.Logger) (*webhook.Client, error) {
	key, err := webhookKey(c, log)
	if err != nil {
		return nil, err
	}
	settings := webhook.Config{
		AllowPrivate: c.Webhooks.AllowPrivate, AllowLoopback: Loopback(c.HTTP.PublicURL), Timeout: c.Webhooks.Timeout, Logger: log,
	}
	if key != nil {
		settings.Signer, s.publicKey = key, key.Public()
	}
	client := webhook.New(settings)
	s.started(quietly(client.Close))
	return client, nil
}

// mountSipgate serves what apps of sipgate look for.
func (s *Server) mountSipgate(c config.Config, log *slog.Logger) {
	s.API.Mount("/v2", sipgate.New(sipgate.Config{
		Calls: s.Engine, Control: s.Engine, Exchange: s.Engine,
		Directory: s.Settings.Directory(), Settings: s.Settings, Registrations: s.SIP, Archive: s.Store, MasterSIPID: sipgateio.MasterSIPID,
		Recordings: s.Store, Keeper: s.Engine,
		Programs: sipgate.Programs{PlayMessage: builtin.PlayMessage, SpeakGreeting: builtin.SpeakGreeting},
		Folder:   c.Recordings, Links: s.links, BearerKey: s.bearerKey,
		Domain: hostOf(c.HTTP.PublicURL), Language: c.Speech.Language, Log: log,
	}))
	if s.publicKey != nil {
		s.API.Mount("/"+WebhookKeyFile, api.PublicKey(s.publicKey))
	}
}

// greetings keeps what users speak as the greeting of their voicemail.
type greetings struct{ settings *settings.Settings }

// SetGreeting is that of engine.Greetings.
func (g greetings) SetGreeting(ctx context.Context, account, user, path string) error {
	if _, err := os.Stat(path); err != nil {
		return errors.New("nothing was recorded")
	}
	id := directory.User{ID: user, Account: account}.EntryID()
	_, err := g.settings.Change(ctx, id, func(old directory.Entry) (directory.Entry, error) {
		u, ok := old.(directory.User)
		if !ok {
			return nil, fmt.Errorf("there is no %s any more", id)
		}
		u.Greeting = path
		return u, nil
	})
	return err
}

// hostOf gives the host that a URL names; empty if it names none.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
