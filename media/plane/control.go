// SPDX-License-Identifier: MIT

package plane

import (
	"errors"
	"fmt"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/dtmf"
	"github.com/callwright/callwright/media/recorder"
)

// Connect tells a stream what was settled with its peer; from now on it sends,
// silence if there is nothing else. It may be called again, as after a
// re-INVITE. The stream stays locked to the source it hears unless the address
// is a new one, and goes on with keys that are the same.
func (p *Plane) Connect(id media.StreamID, r media.Remote) error {
	if !r.Addr.IsValid() || (r.Codec != media.PCMU && r.Codec != media.PCMA) {
		return fmt.Errorf("connect media stream: cannot send %v to %v", r.Codec, r.Addr)
	}
	if p.listen.Unmap().Is4() && !r.Addr.Addr().Unmap().Is4() {
		return fmt.Errorf("connect media stream: cannot reach %v over IPv4: set media.listen to :: for both", r.Addr)
	}
	k, err := kitFor(r)
	if err != nil {
		return fmt.Errorf("connect media stream: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e, err := p.lookup(id)
	if err != nil {
		return err
	}
	e.shard.sendFor(id, func(s *shard, st *stream) { s.connect(st, r, k) })
	return nil
}

// Play plays a prompt in place of what the stream sends else. It replaces a
// prompt that is still playing, and begins when the stream is connected.
func (p *Plane) Play(id media.StreamID, prompt *media.Prompt, o media.PlayOptions) error {
	if len(prompt.ULaw) != len(prompt.ALaw) || len(prompt.ULaw)%media.FrameSize != 0 {
		return fmt.Errorf("play %s: the prompt is not made of whole frames in both codings", prompt.Name)
	}
	return p.order(id, func(s *shard, st *stream) { s.play(st, prompt, o) })
}

// StopPlay ends the prompt that is playing, if any.
func (p *Plane) StopPlay(id media.StreamID) error {
	return p.order(id, func(s *shard, st *stream) { s.endPlay(st, false) })
}

// Bridge lets two streams hear each other. Either leaves the bridge it was in.
// When one closes, the other falls silent.
func (p *Plane) Bridge(a, b media.StreamID) error {
	if a == b {
		return errors.New("bridge: a stream cannot hear itself")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	left, err := p.lookup(a)
	if err != nil {
		return err
	}
	right, err := p.lookup(b)
	if err != nil {
		return err
	}
	if left.shard != right.shard {
		p.move(b, right, left.shard)
	}
	ears := [2]*ear{new(ear), new(ear)} // made here, so that the shard need not
	left.shard.send(command{ids: [2]media.StreamID{a, b}, do: func(s *shard) { s.bridge(a, b, ears) }})
	return nil
}

// Unbridge ends the bridge that a stream is in, if any.
func (p *Plane) Unbridge(a media.StreamID) error {
	return p.order(a, func(s *shard, st *stream) { s.unbridge(st) })
}

// Mute has nobody hear what the peer of a stream says, neither its bridge nor its
// recording, until it is called with false. Keys that the peer presses are told as
// before, but tones of its own are not passed on. It lasts over Bridge and Connect.
func (p *Plane) Mute(id media.StreamID, on bool) error {
	return p.order(id, func(_ *shard, st *stream) { st.in.muted = on })
}

// SendDigits sends keys (0-9 * # A-D) one after the other in place of other
// sound: by telephone-event (RFC 4733) if the peer has agreed to it, and else as
// tones. DigitsSent tells when all are on the wire.
func (p *Plane) SendDigits(id media.StreamID, digits string) error {
	var check dtmf.Sender
	if err := check.Queue(digits); err != nil {
		return err
	}
	return p.order(id, func(s *shard, st *stream) { s.sendDigits(st, digits) })
}

// Record records a stream to a file. It replaces a recording that is running.
// RecordEnded tells when the file is complete, or why there is none.
func (p *Plane) Record(id media.StreamID, o media.RecordOptions) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, err := p.lookup(id)
	if err != nil {
		return err
	}
	rec := p.recorder.Start(o, func(rec *recorder.Recording, r recorder.Result) {
		p.recordEnded(id, rec, o.Token, r)
	})
	hears := new(ear)
	e.shard.sendFor(id, func(s *shard, st *stream) { s.record(st, rec, hears) })
	return nil
}

// recordEnded is called by the recorder. The stream may be closing: it waits
// for this.
func (p *Plane) recordEnded(id media.StreamID, rec *recorder.Recording, token uint64, r recorder.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.entries[id]
	e.shard.sendFor(id, func(s *shard, st *stream) { s.recordEnded(st, rec, token, r) })
}

// StopRecord ends the recording that is running, if any.
func (p *Plane) StopRecord(id media.StreamID) error {
	return p.order(id, func(s *shard, st *stream) { s.stopRecord(st) })
}

// LookAtRecording gives how long a file is that was recorded, and for how long
// somebody is heard in it.
func (*Plane) LookAtRecording(path string) (length, heard time.Duration, err error) {
	return recorder.Look(path)
}

// Describe says what a stream carries at the moment, such as "pcma
// 127.0.0.1:4000 <- prompt hello.wav; -> recorder". It waits for the shard, so
// it is for people, not for calls.
func (p *Plane) Describe(id media.StreamID) (string, error) {
	answer := make(chan string, 1)
	err := p.order(id, func(s *shard, st *stream) { answer <- s.describe(st) })
	if err != nil {
		return "", err
	}
	return <-answer, nil
}

// PauseRecord leaves what is said out of the recording that is running, until it
// is called with false.
func (p *Plane) PauseRecord(id media.StreamID, pause bool) error {
	return p.order(id, func(_ *shard, st *stream) { st.life.paused = pause })
}
