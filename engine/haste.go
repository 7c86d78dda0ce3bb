// SPDX-License-Identifier: MIT

package engine

import (
	"context"
	"errors"
	"time"
)

const (
	// quick is how long a document runs at least whose next question is asked at once.
	quick = time.Second
	// mostQuick is how many that are quicker may follow each other: somebody types
	// ahead, or a few targets are busy. Then the pauses begin, from shortestPause to
	// longestPause.
	mostQuick                   = 20
	shortestPause, longestPause = 250 * time.Millisecond, 5 * time.Second
)

// haste counts documents that lead to the next question in no time. An app that says
// the same to it again would ring a carrier as fast as that refuses, for hours.
type haste struct {
	documents int
	last      time.Duration
}

// pause is how long to wait before the next question, behind a document that ran for
// so long. It doubles from one to the next.
func (h *haste) pause(ran time.Duration) time.Duration {
	if ran >= quick {
		*h = haste{}
		return 0
	}
	if h.documents++; h.documents <= mostQuick {
		return 0
	}
	h.last = min(max(2*h.last, shortestPause), longestPause)
	return h.last
}

// rest waits before the app is asked again, and says why where that begins. The error
// is what Await returns.
func (c *Call) rest(ctx context.Context, pause time.Duration) error {
	if pause == 0 {
		return nil
	}
	if pause == shortestPause {
		c.log.Warn("an app's answers lead from one question to the next without any time passing: it is asked more slowly", "app", c.record.App)
		c.Complain(Problem{Sentence: "more than 20 answers in a row led to the next question without any time passing: " +
			"the app is asked more slowly now; look for an answer that leads back to its own question"})
	}
	_, err := c.AwaitFor(ctx, pause, func(Message) bool { return false })
	if errors.Is(err, ErrTimeout) {
		return nil
	}
	return err
}
