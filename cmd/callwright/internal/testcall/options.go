// SPDX-License-Identifier: MIT

package testcall

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/callwright/callwright/media"
)

// Options say whom to call, and how.
type Options struct {
	// To is a SIP URI, From the number that is shown.
	To, From string
	// Username and Password answer a challenge.
	Username, Password string
	// Digits are typed: 0-9 * # A-D; w waits half a second, a comma two.
	Digits string
	// Tone is what is played, in Hz; 0 is silence. Play is a sound file that is
	// played first.
	Tone float64
	Play string
	// Record is the WAV file that is made of what is heard, if not empty.
	Record string
	// Duration is how long the call lasts from its first sound on, but at least
	// until everything is typed and played; Patience is how long it may ring.
	Duration, Patience time.Duration
	// Codecs are offered, most preferred first; none is all.
	Codecs []media.Codec
	// Listen is our own address; empty is the one that leads to the target.
	Listen string
}

// Check says what nobody could call with.
func (o Options) Check() error {
	_, err := parseTarget(o.To)
	switch {
	case err != nil:
		return err
	case strings.Trim(o.Digits, "0123456789*#ABCDw,") != "":
		return fmt.Errorf("--digits is %q: write keys (0 to 9, *, #, A to D), w to wait half a second, a comma to wait two", o.Digits)
	case !(o.Tone >= 0 && o.Tone < media.SampleRate/2): // nor what is no number
		return fmt.Errorf("--tone is %g: write a frequency below %d Hz, or 0 for silence", o.Tone, media.SampleRate/2)
	case o.Duration < 0:
		return fmt.Errorf("--duration is %s: write a time like 10s or 1m", o.Duration)
	case o.Patience <= 0:
		return fmt.Errorf("--patience is %s: write a time like 30s", o.Patience)
	}
	return nil
}

// writable sees, before anybody's telephone rings, that a recording can be
// written. Nothing stays of that.
func writable(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("--record: there is a file %s already, and it is not written over: name another", path)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("--record: there is no folder for %s: make it, or name another", path)
	case err != nil:
		return fmt.Errorf("--record: %w", err)
	}
	return errors.Join(f.Close(), os.Remove(path))
}
