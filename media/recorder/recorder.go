// SPDX-License-Identifier: MIT

package recorder

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/internal/mpsc"
)

// chunkSize is how much sound is handed over at once: 50 frames of one channel
// or 25 of two.
const chunkSize = 50 * media.FrameSize

// maxPending is how many chunks of one recording may wait for the disk: about a
// minute of sound.
const maxPending = 64

// maxWaiting is how many chunks of all recordings together may: 128 MiB. With a
// disk that hangs, calls come and go, and each leaves its minute behind.
const maxWaiting = 1 << 14

// patience is how long the end of a recording, and Close, wait for the disk, unless
// Recorder.Patience says otherwise.
const patience = 5 * time.Second

// ErrStuck tells of a recording whose end the disk has not taken in time. The
// file is completed if it ever does.
var ErrStuck = fmt.Errorf("the disk has not taken the end of the recording in %v: the file may be short", patience)

// leastFree is how many bytes must be free on the disk for a recording to begin:
// callers must not fill it, for the database may be there too.
const leastFree = 100 << 20

// ErrFull says that there is hardly any room left on the disk.
var ErrFull = errors.New("too little is free on the disk to begin a recording")

// ErrTooSlow ends a recording for which the disk is too slow.
var ErrTooSlow = errors.New("the disk is too slow to record on: too much sound was waiting to be written")

// chunk is sound on its way to the file. Where both sides are recorded, their
// frames alternate, what was received first.
type chunk struct {
	recording *Recording
	codec     media.Codec
	last      bool
	size      int
	sound     [chunkSize]byte
}

// Result is what came of a recording.
type Result struct {
	Duration time.Duration // of the sound in the file
	Err      error         // why it ended early, or nil
	Reason   media.RecordEnd
	Heard    time.Duration // as in media.Event
}

// Recorder is the goroutine that writes all recordings.
type Recorder struct {
	// Patience is how long the end of a recording, and Close, wait for the disk. It
	// is 5 s; who wants another sets it before the first Start.
	Patience time.Duration

	queue   mpsc.Queue[chunk]
	wake    chan struct{}
	chunks  sync.Pool    // of *mpsc.Node[chunk]
	waiting atomic.Int32 // chunks that wait for the disk
	closing atomic.Bool
	free    func(folder string) (bytes uint64, err error)
	done    chan struct{}
}

// New starts a Recorder. Close it when all recordings have ended.
func New() *Recorder {
	r := &Recorder{Patience: patience, wake: make(chan struct{}, 1), done: make(chan struct{}), free: free}
	r.chunks.New = func() any { return new(mpsc.Node[chunk]) }
	go r.run()
	return r
}

// Close writes what has been handed over and ends the goroutine. Recordings
// that have not been stopped are completed with what is there. A disk that hangs
// is waited for no longer than Patience; the goroutine then ends when the disk goes on.
func (r *Recorder) Close() {
	r.closing.Store(true)
	r.nudge()
	select {
	case <-r.done:
	case <-time.After(r.Patience):
	}
}

// Start begins a recording. Nothing waits for the disk: when the file cannot be
// made, ended is told so. It is called exactly once with the recording, and must
// not block: on the Recorder's goroutine, or Patience after Stop on another one if
// the disk has hung until then.
func (r *Recorder) Start(o media.RecordOptions, ended func(*Recording, Result)) *Recording {
	frames := (o.MaxDuration + media.FrameDuration - 1) / media.FrameDuration
	rec := &Recording{recorder: r, what: o.What, limit: int64(frames), ended: ended}
	if o.Silence > 0 {
		rec.listener = newListener(o.Silence)
	}
	rec.file = file{path: o.Path, what: o.What, ended: rec.tell, free: r.free}
	rec.push(rec.newChunk()) // empty: it makes the file
	return rec
}

func (r *Recorder) nudge() {
	select {
	case r.wake <- struct{}{}:
	default: // it is awake or will be
	}
}

func (r *Recorder) run() {
	defer close(r.done)
	open := map[*Recording]struct{}{}
	for range r.wake {
		closing := r.closing.Load()
		for n := r.queue.Take(); n != nil; {
			c := &n.Value
			rec := c.recording
			open[rec] = struct{}{}
			rec.file.take(c)
			rec.pending.Add(-1)
			r.waiting.Add(-1)
			if c.last && rec.stuck != nil {
				rec.stuck.Stop()
			}
			if rec.file.over {
				delete(open, rec)
			}
			c.recording = nil
			next := n.Next()
			r.chunks.Put(n)
			n = next
		}
		if closing {
			for rec := range open {
				rec.file.end(Result{})
			}
			return
		}
	}
}

// Recording is one recording while it runs. It belongs to the thread that adds
// to it.
type Recording struct {
	recorder *Recorder
	chunk    *mpsc.Node[chunk] // being filled, or nil
	what     media.RecordWhat
	limit    int64 // in frames, 0 for none
	frames   int64
	listener *listener // nil if silence does not matter
	reason   media.RecordEnd
	pending  atomic.Int32 // chunks that wait for the disk
	slow     bool         // the disk could not keep up
	file     file         // belongs to the Recorder's goroutine
	ended    func(*Recording, Result)
	told     atomic.Bool // ended was called
	stuck    *time.Timer // calls it when the disk hangs; set before the last chunk was pushed
}

// tell says how the recording ended, once.
func (rec *Recording) tell(r Result) {
	if rec.told.CompareAndSwap(false, true) {
		rec.ended(rec, r)
	}
}

// Add records one frame: what a stream received, what it sent, or both, coded
// alike. It reports false when the recording should be
// stopped: its limit is reached, nothing was heard for too long, or the disk is
// too slow.
func (rec *Recording) Add(c media.Codec, received, sent *[media.FrameSize]byte) bool {
	if rec.chunk != nil && rec.chunk.Value.codec != c {
		rec.flush()
	}
	if rec.chunk == nil {
		if rec.pending.Load() >= maxPending || rec.recorder.waiting.Load() >= maxWaiting {
			rec.slow = true
			return false
		}
		rec.chunk = rec.newChunk()
		rec.chunk.Value.codec = c
	}
	ch := &rec.chunk.Value
	step := 0
	if rec.what != media.RecordHeard {
		step += copy(ch.sound[ch.size:], received[:])
	}
	if rec.what != media.RecordSaid {
		step += copy(ch.sound[ch.size+step:], sent[:])
	}
	ch.size += step
	rec.frames++
	if ch.size+step > chunkSize {
		rec.flush()
	}
	if rec.listener != nil && rec.listener.bored(codec.Power(c, received[:])) {
		rec.reason = media.RecordSilent
		return false
	}
	if rec.limit > 0 && rec.frames >= rec.limit {
		rec.reason = media.RecordFull
		return false
	}
	return true
}

// result is what comes of the recording if the disk takes all of it.
func (rec *Recording) result() Result {
	frames := rec.frames
	r := Result{Reason: rec.reason}
	if rec.listener != nil {
		frames = rec.listener.keep()
		r.Heard = time.Duration(rec.listener.heard) * media.FrameDuration
	}
	if rec.slow {
		r.Err = ErrTooSlow
	}
	r.Duration = time.Duration(frames) * media.FrameDuration
	return r
}

// Stop ends the recording. Nothing may be added afterwards.
func (rec *Recording) Stop() {
	if rec.chunk == nil {
		rec.chunk = rec.newChunk()
	}
	rec.chunk.Value.last = true
	if !rec.told.Load() {
		r := rec.result()
		if r.Err == nil {
			r.Err = ErrStuck
		}
		rec.stuck = time.AfterFunc(rec.recorder.Patience, func() { rec.tell(r) })
	}
	rec.flush()
}

func (rec *Recording) newChunk() *mpsc.Node[chunk] {
	n := rec.recorder.chunks.Get().(*mpsc.Node[chunk])
	n.Value.recording, n.Value.last, n.Value.size = rec, false, 0
	return n
}

func (rec *Recording) flush() {
	n := rec.chunk
	rec.chunk = nil
	rec.push(n)
}

func (rec *Recording) push(n *mpsc.Node[chunk]) {
	rec.pending.Add(1)
	rec.recorder.waiting.Add(1)
	rec.recorder.queue.Push(n)
	rec.recorder.nudge()
}
