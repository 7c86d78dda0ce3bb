// SPDX-License-Identifier: MIT

package demo_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/cmd/callwright/internal/demo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The demo shows the whole timeline, from the INVITE to the stored record.
func TestDemo(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := demo.Run(t.Context(), &out, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Errorf("the demo failed: %v", err)
	}
	rest := out.String()
	for _, want := range []string{
		"<- INVITE sip:+4921112345@", "event=newCall&direction=in", "<Gather ", "Gather up to 4 digits", "183 Session Progress",
		"play http", "digit 1", "digits 1234", "event=dtmf", "Dial +4930222222", "-> INVITE sip:+4930222222@", "180 Ringing",
		"event=answer", "heard", "-> BYE", "normal", "event=hangup&cause=normalClearing", `"state": "ended"`, "the demo went well",
	} {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Errorf("after what was found, the output lacks %q:\n%s", want, rest)
			return
		}
		rest = after
	}
}

// A demo that cannot go on says at which step.
func TestDemoSaysWhere(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 500*time.Millisecond, errors.New("no more time"))
	defer cancel()
	var out bytes.Buffer
	err := demo.Run(ctx, &out, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "no more time") {
		t.Errorf("error %v, want why it could not go on", err)
	}
}
