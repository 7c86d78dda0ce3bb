// SPDX-License-Identifier: MIT

package demo_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

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
	// What the phones say and what is stored of the calls are two streams.
	for _, lines := range [][]string{
		{
			"<- INVITE sip:+4921112345@", "event=newCall&direction=in", "<Gather ", "Gather up to 4 digits", "183 Session Progress",
			"play http", "digit 1", "digits 1234", "event=dtmf", "Dial +4930222222", "-> INVITE sip:+4930222222@", "180 Ringing",
			"event=answer", "-> BYE", "normal", "event=hangup&cause=normalClearing", `"state": "ended"`, "the demo went well",
		},
		{"hears the prompt", "types 1234", "rings, called by", "picked up", "heard", "hangs up", "the demo went well"},
	} {
		rest := out.String()
		for _, want := range lines {
			_, after, found := strings.Cut(rest, want)
			if !found {
				t.Errorf("after what was found, the output lacks %q:\n%s", want, rest)
				break
			}
			rest = after
		}
	}
}

// A demo that is ended says at which step that was, and why.
func TestDemoSaysWhere(t *testing.T) {
	t.Parallel()
	for _, at := range []struct{ line, step string }{
		{"", "open database"},
		{"calls +4921112345", "waits for the prompt"},
		{"types 1234", "types its PIN"},
		{"rings, called by", "picks up"},
		{"both listen for", "waits for the other's tone"},
	} {
		t.Run(at.step, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			out := &tripwire{line: at.line, trip: func() { cancel(errNoMore) }}
			if at.line == "" {
				out.trip()
			}
			err := demo.Run(ctx, out, slog.New(slog.DiscardHandler))
			if !errors.Is(err, errNoMore) || !strings.Contains(err.Error(), at.step) {
				t.Errorf("error %v, want one that names the step %q and says %q", err, at.step, errNoMore)
			}
		})
	}
}

var errNoMore = errors.New("no more time")

// tripwire is an output that trips when a line is written to it.
type tripwire struct {
	line string
	trip func()
}

func (w *tripwire) Write(p []byte) (int, error) {
	if w.line != "" && bytes.Contains(p, []byte(w.line)) {
		w.trip()
	}
	return len(p), nil
}
