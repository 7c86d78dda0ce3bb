// SPDX-License-Identifier: MIT

package speech

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

const (
	// slowly is how long an outage takes to show that callers wait in silence for.
	slowly = time.Second
	// pause is how long texts of an account are then refused at once.
	pause = 30 * time.Second
	// tellEvery is how often the log is told of trouble.
	tellEvery = time.Minute
)

// OutageError says that a Provider cannot speak now, whatever the text is.
type OutageError struct{ Err error }

// Error is a sentence.
func (e *OutageError) Error() string { return e.Err.Error() }

// Unwrap gives what is said.
func (e *OutageError) Unwrap() error { return e.Err }

// trouble is what is known of outages. It is of accounts, for it may be that one
// has texts that take too long.
type trouble struct {
	log   *slog.Logger
	pause map[string]*silence // by account
	// begun says that an outage was told, at told, and not yet that it is over.
	begun bool
	told  time.Time
}

// silence is a time in which no text of an account is spoken.
type silence struct {
	until time.Time
	why   error
}

// refuses gives why no text of an account is spoken now. When its pause is over, one
// text is let through, and others for as long as that may take are not.
func (t *trouble) refuses(account string, now time.Time, limit time.Duration) error {
	s := t.pause[account]
	if s == nil {
		return nil
	}
	if now.Before(s.until) {
		return fmt.Errorf("%w; no other text is tried for %s", s.why, s.until.Sub(now).Round(time.Second))
	}
	s.until = now.Add(limit)
	return nil
}

// note takes what came of a text of an account, which took so long.
func (t *trouble) note(account string, now time.Time, took time.Duration, err error) {
	var outage *OutageError
	switch {
	case errors.As(err, &outage):
		if took >= slowly {
			t.pause[account] = &silence{now.Add(pause), err}
		} else {
			delete(t.pause, account)
		}
		if !t.begun && (t.told.IsZero() || now.Sub(t.told) >= tellEvery) {
			t.begun, t.told = true, now
			t.log.Warn("text is not spoken: callers hear nothing in its place", "err", err)
		}
	case err == nil:
		delete(t.pause, account)
		if t.begun {
			t.begun = false
			t.log.Info("text is spoken again")
		}
	}
}
