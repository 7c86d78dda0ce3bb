// SPDX-License-Identifier: MIT

package trunk

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// ErrFull says that a trunk's limits let no more calls in.
var ErrFull = errors.New("no more calls fit")

// seats counts the calls of a trunk.
type seats struct {
	taken int
	pace  engine.Pace
}

// Enter counts a call by a trunk, in either direction, until leave is called. The
// error is ErrFull with a sentence that says what to change. A call that must get
// through is counted, but has no limits.
func (t *Trunks) Enter(trunk directory.Trunk, must bool) (leave func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &t.state(keyOf(trunk)).seats
	now, rate := time.Now(), trunk.CallsPerSecond
	if !must && s.pace.Full(rate, now) {
		return nil, fmt.Errorf("%w: %d calls began on trunk %q within a second (trunks[].calls_per_second)", ErrFull, rate, trunk.Name)
	}
	if trunk.MaxCalls > 0 && s.taken >= trunk.MaxCalls && !must {
		return nil, fmt.Errorf("%w: trunk %q carries %d calls (trunks[].max_calls)", ErrFull, trunk.Name, s.taken)
	}
	s.taken++
	s.pace.Begin(rate, now)
	return sync.OnceFunc(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		s.taken--
	}), nil
}
