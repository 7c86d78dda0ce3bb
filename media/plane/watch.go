// SPDX-License-Identifier: MIT

package plane

import (
	"math"
	"time"

	"github.com/callwright/callwright/media"
)

// watch is for how long a peer may be silent. Any packet of its is a sign of
// life, also comfort noise and keys, and so is a report, unless it says that sound
// was sent, which then is lost on its way: who has muted a phone that leaves out
// silence is still there.
type watch struct {
	after time.Duration // 0 for ever
	since time.Duration // the last sign of life but packets, or when the count began
	// connected is when Connect was called last, which is what the stream takes
	// for a packet then.
	connected time.Duration
	told      bool
}

// alive is when the last sign of life came.
func (st *stream) alive() time.Duration {
	if st.in.from.last == st.watch.connected {
		return st.watch.since
	}
	return max(st.in.from.last, st.watch.since)
}

// watchFor sets for how long the peer may be silent. The count goes on, as when
// a call is refreshed by a peer whose sound is gone, unless the peer was not
// waited for until now, or has moved.
func (st *stream) watchFor(r media.Remote, moved bool, now time.Duration) {
	w := watch{after: r.LossAfter, since: now, connected: now}
	if st.watch.after != 0 && st.remote.receive && !moved {
		w.since, w.told = st.alive(), st.watch.told
	}
	st.watch = w
}

// watch tells when nothing has come for too long, and says when to look again.
func (s *shard) watch(st *stream) time.Duration {
	w := &st.watch
	if w.after == 0 || !st.remote.receive {
		return math.MaxInt64
	}
	last := st.alive()
	if s.timing.now-last < w.after {
		w.told = false
		return last + w.after
	}
	if !w.told {
		w.told = true
		s.emit(st, media.Event{Kind: media.Lost, Duration: s.timing.now - last})
	}
	return math.MaxInt64
}
