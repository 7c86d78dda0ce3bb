// SPDX-License-Identifier: MIT

package phone

import (
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/sdp"
)

// Two phones hear each other encrypted in every suite, press keys, hold, and
// change their keys; and one that has another key is heard by nobody.
func TestEncrypted(t *testing.T) {
	t.Parallel()
	for _, suite := range []media.Suite{media.AES128SHA1x80, media.AES128SHA1x32, media.AES128GCM} {
		t.Run(suite.String(), func(t *testing.T) {
			t.Parallel()
			a := on(t, Config{User: "alice", Tone: 440, SRTP: sdp.Require, Suites: []media.Suite{suite}})
			b := on(t, Config{User: "bob", Tone: 1000})
			out, in := connect(t, a, b)
			hear := func(what string) {
				t.Helper()
				v, err := out.Listen(t.Context(), 300*time.Millisecond, 1000)
				must(t, err)
				if err := v.Check(); err != nil {
					t.Errorf("%s: %v\n%s", what, err, v)
				}
				must(t, in.WaitTone(t.Context(), 440, Level-3))
			}
			must(t, out.WaitTone(t.Context(), 1000, Level-3))
			hear("at first")
			if out.Suite() != suite.String() || in.Suite() != suite.String() {
				t.Errorf("encrypted by %q and %q", out.Suite(), in.Suite())
			}
			must(t, out.SendDigits(t.Context(), "15*"))
			must(t, in.WaitDigits(t.Context(), media.ByEvent, 3))
			must(t, in.Hold(t.Context(), true))
			must(t, in.WaitSilence(t.Context(), 200*time.Millisecond, Level-20))
			must(t, in.Hold(t.Context(), false))
			must(t, in.WaitTone(t.Context(), 440, Level-3))
			if n := out.Refused() + in.Refused(); n != 0 {
				t.Errorf("%d packets were refused before keys were changed", n)
			}
			must(t, out.Rekey(t.Context()))
			must(t, in.WaitTone(t.Context(), 440, Level-3))
			hear("with another key")
			refused := in.Refused()
			must(t, out.Forge())
			must(t, in.WaitSilence(t.Context(), 200*time.Millisecond, Level-20))
			must(t, in.wait(t.Context(), "packets with a wrong key", func() bool { return in.secrets.refused >= refused+5 }))
			must(t, out.WaitTone(t.Context(), 1000, Level-3))
		})
	}
}

// What was sent once is not heard again.
func TestReplayed(t *testing.T) {
	t.Parallel()
	out, in := connect(t, on(t, Config{User: "alice", Tone: 440, SRTP: sdp.Offer}), on(t, Config{User: "bob"}))
	must(t, in.WaitTone(t.Context(), 440, Level-3))
	n := out.Replay()
	if n == 0 {
		t.Fatal("nothing was sent")
	}
	must(t, in.wait(t.Context(), "what comes again to be refused", func() bool { return in.secrets.refused >= n }))
	if v := in.Heard(); v.Repeated != 0 || out.Suite() == "" {
		t.Errorf("heard %s", v)
	}
}
