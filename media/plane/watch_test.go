// SPDX-License-Identifier: MIT

package plane

import (
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/rtcp"
	"github.com/callwright/callwright/media/rtp"
)

const lossAfter = 30 * time.Second

// watched is a stream whose peer may be silent for 30 s. Silence lets time go by
// up to a moment before it is lost.
type watched struct {
	*fixture
	id media.StreamID
	p  *phone
	r  media.Remote
}

func setupWatched(t *testing.T) *watched {
	f := setup(t, Config{})
	id, at := f.open()
	p := newPhone(t, media.PCMU, at)
	w := &watched{f, id, p, p.remote()}
	w.r.LossAfter = lossAfter
	return w
}

// lost fails unless the peer is told to be lost after the given time and not
// before.
func (w *watched) lost(after time.Duration) {
	w.t.Helper()
	w.step(after - media.FrameDuration)
	w.quiet(w.id)
	w.step(2*media.FrameDuration + time.Millisecond)
	if e := w.want(w.id, media.Lost); e.Duration < lossAfter || e.Duration > lossAfter+2*media.FrameDuration {
		w.t.Errorf("lost after %v", e.Duration)
	}
}

func TestPeerThatNeverCame(t *testing.T) {
	t.Parallel()
	w := setupWatched(t)
	w.must(w.Connect(w.id, w.r))
	w.lost(lossAfter)
	w.step(3 * lossAfter) // told once
	w.quiet(w.id)
}

func TestPeerThatFellSilent(t *testing.T) {
	t.Parallel()
	w := setupWatched(t)
	w.must(w.Connect(w.id, w.r))
	w.run(100, map[*phone]float64{w.p: 1000})
	w.want(w.id, media.Latched)
	w.lost(lossAfter)
	// It comes again, and goes again.
	w.run(100, map[*phone]float64{w.p: 1000})
	w.lost(lossAfter)
}

// Comfort noise, keys and reports are signs of life.
func TestSignsOfLife(t *testing.T) {
	t.Parallel()
	for what, sign := range map[string]func(*watched){
		"comfort noise": func(w *watched) {
			w.p.send(rtp.Header{PayloadType: comfortNoise, SSRC: w.p.header.SSRC, Sequence: w.p.header.Sequence}, []byte{40})
			w.p.header.Sequence++
		},
		"a report": func(w *watched) {
			w.p.report(w.p.control, rtcp.Report{SSRC: w.p.header.SSRC}, w.p.server.Port+1)
			w.step(glance) // to be sure that its moment is known
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := setupWatched(t)
			w.must(w.Connect(w.id, w.r))
			w.run(5, map[*phone]float64{w.p: 1000})
			w.want(w.id, media.Latched)
			for range 4 {
				w.step(lossAfter * 8 / 10)
				sign(w)
			}
			w.quiet(w.id)
			w.p.report(w.p.control, rtcp.Report{SSRC: w.p.header.SSRC, Bye: true}, w.p.server.Port+1) // is none
			w.step(lossAfter + media.FrameDuration)
			w.want(w.id, media.Lost)
		})
	}
}

// A peer on hold is not waited for, and the count begins again after it. Before
// the answer there is none at all.
func TestWhenNobodyIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := setupWatched(t)
	ringing, held := w.r, w.r
	ringing.LossAfter = 0
	held.Receive = false
	w.must(w.Connect(w.id, ringing))
	w.step(2 * lossAfter)
	w.must(w.Connect(w.id, w.r))
	w.step(lossAfter / 2)
	w.must(w.Connect(w.id, held))
	w.step(2 * lossAfter)
	w.must(w.Connect(w.id, w.r))
	w.lost(lossAfter)
}

// A refresh that changes nothing is no sign of life.
func TestRefreshIsNoSignOfLife(t *testing.T) {
	t.Parallel()
	w := setupWatched(t)
	w.must(w.Connect(w.id, w.r))
	w.run(10, map[*phone]float64{w.p: 1000})
	w.want(w.id, media.Latched)
	for range 3 {
		w.step(lossAfter / 4)
		w.must(w.Connect(w.id, w.r))
	}
	w.lost(lossAfter / 4)
	w.must(w.Connect(w.id, w.r))
	w.step(lossAfter * 2)
	w.quiet(w.id)
}

// A peer whose reports come and whose sound does not is lost, however much it says
// that it sends.
func TestReportsOfSoundThatDoesNotCome(t *testing.T) {
	t.Parallel()
	w := setupWatched(t)
	w.must(w.Connect(w.id, w.r))
	w.run(5, map[*phone]float64{w.p: 1000})
	w.want(w.id, media.Latched)
	sent := uint32(5)
	for range 4 {
		w.step(lossAfter * 2 / 10)
		sent += 300
		w.p.report(w.p.control, rtcp.Report{SSRC: w.p.header.SSRC, Sends: true, Sender: rtcp.Sender{Packets: sent}}, w.p.server.Port+1)
		w.step(glance)
	}
	w.quiet(w.id)
	w.step(lossAfter * 2 / 10)
	w.want(w.id, media.Lost)
	// It has sent no more since: it was muted.
	w.run(5, map[*phone]float64{w.p: 1000})
	for range 4 {
		w.step(lossAfter * 8 / 10)
		w.p.report(w.p.control, rtcp.Report{SSRC: w.p.header.SSRC, Sends: true, Sender: rtcp.Sender{Packets: sent}}, w.p.server.Port+1)
		w.step(glance)
	}
	w.quiet(w.id)
}
