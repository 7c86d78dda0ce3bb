// SPDX-License-Identifier: MIT

package server_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store/sqlite"
)

// Each limit of the operator's has its own answer for who begins a call by the API.
func TestLimitsOfCallsByAPI(t *testing.T) {
	t.Parallel()
	const begin = `{"caller":"p0","callee":"+4930222222"}`
	for _, tt := range []struct {
		name   string
		adjust func(*config.Config)
		before int // calls that were begun before
		body   string
		status int
		says   string
	}{
		{"none", func(*config.Config) {}, 0, begin, 200, "sessionId"},
		{"minutes of a day", func(c *config.Config) { c.Limits.MinutesPerDay = 10; talkedToday(t, c) }, 0, begin, 402, "limits.minutes_per_day: calls by trunks have lasted 10 minutes today"},
		{"prefixes", func(c *config.Config) { c.Limits.Prefixes = []string{"+4915"} }, 0, begin, 403, "limits.prefixes: +4930222222 begins with none of the allowed prefixes (+4915)"},
		{"caller id", func(*config.Config) {}, 0, `{"caller":"p0","callee":"+4930222222","callerId":"+49301"}`, 403, "it is no number of the account"},
		{"device", func(*config.Config) {}, 0, `{"caller":"p7","callee":"+4930222222"}`, 403, "no user of this account has the extension"},
		{"emergency", func(*config.Config) {}, 0, `{"caller":"p0","callee":"112"}`, 403, "112 is an emergency service: only a phone calls that"},
		{"calls at once", func(c *config.Config) { c.Limits.Calls = 1 }, 1, begin, 503, "limits.calls: 1 calls are alive"},
		{"phones that ring", func(*config.Config) {}, 5, begin, 429, "the phones of the caller ring for 5 such calls already"},
		{"minutes of a day, of a call within", func(c *config.Config) { c.Limits.MinutesPerDay = 10; talkedToday(t, c) }, 0, `{"caller":"p0","callee":"+4921112345"}`, 200, "sessionId"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPhone(t, "w0")
			s := start(t, "", withToken, tt.adjust, func(c *config.Config) { c.Users[0].Contact = p.URI() })
			for range tt.before {
				if status, text := askV2(t, s, "POST", "/sessions/calls", begin); status != 200 {
					t.Fatalf("got %d %s", status, text)
				}
			}
			if status, text := askV2(t, s, "POST", "/sessions/calls", tt.body); status != tt.status || !strings.Contains(text, tt.says) {
				t.Errorf("got %d %s, want %d and %q", status, text, tt.status, tt.says)
			}
		})
	}
}

// talkedToday has the database know of an hour of calls by trunks in this day.
func talkedToday(t *testing.T, c *config.Config) {
	t.Helper()
	path := strings.TrimPrefix(c.Database, "sqlite:")
	s, err := sqlite.Open(t.Context(), path, t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	ended := now.Add(time.Hour) // the day may just have begun
	s.Append(engine.RecordSaved{Record: engine.Record{
		ID: engine.NewID(), Account: directory.DefaultAccount, Direction: engine.Out, Trunk: "test", State: engine.StateEnded, Settled: true,
		StartedAt: now, AnsweredAt: &now, EndedAt: &ended,
	}})
	if err := s.Durable(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
}
