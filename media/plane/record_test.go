// SPDX-License-Identifier: MIT

package plane

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/recorder"
	"github.com/callwright/callwright/media/tone"
	"github.com/callwright/callwright/media/wav"
)

// readWAV reads a file of 16-bit samples, channel by channel.
func readWAV(t *testing.T, path string, channels int) (samples [2][]int16) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	r, err := wav.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if int(r.Format().Channels) != channels {
		t.Errorf("%d channels, want %d", r.Format().Channels, channels)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(b); i += 2 {
		c := i / 2 % channels
		samples[c] = append(samples[c], int16(b[i])|int16(b[i+1])<<8)
	}
	return samples
}

func TestRecord(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMA)
	songs := map[*phone]float64{p: 1000}
	f.run(1, songs)
	f.want(id, media.Latched)
	both, received := filepath.Join(t.TempDir(), "both.wav"), filepath.Join(t.TempDir(), "received.wav")
	f.must(f.Play(id, prompt(500, 440), media.PlayOptions{Loop: true}))
	f.must(f.Record(id, media.RecordOptions{Token: 1, Path: both, What: media.RecordStereo}))
	f.run(100, songs)
	f.must(f.StopRecord(id))
	f.must(f.StopRecord(id))
	e := f.want(id, media.RecordEnded)
	if e.Token != 1 || e.Err != nil || e.Duration != 2*time.Second {
		t.Errorf("event %+v", e)
	}
	samples := readWAV(t, both, 2)
	hears(t, "received", samples[0][4*media.FrameSize:], 1000)
	hears(t, "sent", samples[1], 440)
	if n := len(tone.Levels(samples[0], 1000)); n != 100 {
		t.Errorf("%d frames", n)
	}

	f.must(f.Record(id, media.RecordOptions{Token: 2, Path: received, MaxDuration: time.Second}))
	f.run(100, songs) // longer than the limit
	if e := f.want(id, media.RecordEnded); e.Token != 2 || e.Err != nil || e.Duration != time.Second {
		t.Errorf("event %+v", e)
	}
	samples = readWAV(t, received, 1)
	hears(t, "received", samples[0][4*media.FrameSize:], 1000)
	f.quiet(id)
}

// What is said in a pause is not in the file. A recording that begins anew does
// not pause.
func TestRecordPauses(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	f.run(1, map[*phone]float64{p: 1000})
	f.want(id, media.Latched)
	path := filepath.Join(t.TempDir(), "1.wav")
	f.must(f.Record(id, media.RecordOptions{Token: 1, Path: path}))
	f.run(settle, map[*phone]float64{p: 1000})
	f.must(f.PauseRecord(id, true))
	f.must(f.PauseRecord(id, true))
	f.run(50, map[*phone]float64{p: 440})
	f.run(settle, map[*phone]float64{p: 1000})
	f.must(f.PauseRecord(id, false))
	f.run(50, map[*phone]float64{p: 1000})
	f.must(f.PauseRecord(id, true))
	f.must(f.StopRecord(id))
	if e := f.want(id, media.RecordEnded); e.Err != nil || e.Duration != (settle+50)*media.FrameDuration {
		t.Errorf("event %+v", e)
	}
	for i, l := range tone.Levels(readWAV(t, path, 1)[0], 440) {
		if l > -30 {
			t.Fatalf("what was said in the pause is heard in frame %d at %.1f dB", i, l)
		}
	}
	again := filepath.Join(t.TempDir(), "2.wav")
	f.must(f.Record(id, media.RecordOptions{Token: 2, Path: again, What: media.RecordMixed}))
	f.run(50, map[*phone]float64{p: 1000})
	f.must(f.StopRecord(id))
	if e := f.want(id, media.RecordEnded); e.Err != nil || e.Duration != time.Second {
		t.Errorf("event %+v", e)
	}
	hears(t, "mixed", readWAV(t, again, 1)[0][settle*media.FrameSize:], 1000)
}

func TestRecordBridged(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{Shards: 2})
	a, pa := f.call(media.PCMU)
	b, pb := f.call(media.PCMA)
	songs := map[*phone]float64{pa: 1000, pb: 440}
	path := filepath.Join(t.TempDir(), "b.wav")
	f.must(f.Record(b, media.RecordOptions{Token: 3, Path: path, What: media.RecordStereo}))
	f.must(f.Bridge(a, b)) // and b moves while it is recorded
	f.run(settle, songs)
	pa.heard, pb.heard = nil, nil
	f.run(100, songs)
	hearsOnly(t, pa, 440, 1000)
	hearsOnly(t, pb, 1000, 440)
	f.must(f.CloseStream(b)) // ends the recording
	f.want(b, media.Latched)
	if e := f.want(b, media.RecordEnded); e.Token != 3 || e.Err != nil || e.Duration < 2*time.Second {
		t.Errorf("event %+v", e)
	}
	f.want(b, media.Closed)
	samples := readWAV(t, path, 2)
	hears(t, "received", samples[0][settle*media.FrameSize:], 440)
	hears(t, "sent", samples[1][settle*media.FrameSize:], 1000)
}

// A call that is held, and goes on in another codec, is one recording, as long
// as the call: each side is where it was, and silence where nobody was heard.
func TestRecordHeldAndRecoded(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	f.run(1, map[*phone]float64{p: 1000})
	f.want(id, media.Latched)
	path := filepath.Join(t.TempDir(), "1.wav")
	f.must(f.Play(id, prompt(500, 440), media.PlayOptions{Loop: true}))
	f.must(f.Record(id, media.RecordOptions{Path: path, What: media.RecordStereo}))
	songs := map[*phone]float64{p: 1000}
	f.run(52, songs)
	held := p.remote()
	held.Send, held.Receive = false, false
	f.must(f.Connect(id, held))
	f.run(50, songs)
	p.codec, p.header.PayloadType = media.PCMA, uint8(media.PCMA)
	f.must(f.Connect(id, p.remote()))
	f.run(50, songs)
	f.must(f.StopRecord(id))
	if e := f.want(id, media.RecordEnded); e.Err != nil || e.Duration != 152*media.FrameDuration {
		t.Errorf("event %+v", e)
	}
	sides := readWAV(t, path, 2)
	for side, hz := range []float64{1000, 440} {
		levels := tone.Levels(sides[side], hz)
		for i, l := range levels {
			phase := [...]string{"talk", "hold", "talk"}[min(i/51, 2)]
			// Sound that waits is lost and gathered anew at each change.
			if at := i % 51; at < settle {
				continue
			}
			if phase == "talk" && l < -20 || phase == "hold" && l > -50 {
				t.Errorf("side %d, frame %d, in %s: %.1f dB", side, i, phase, l)
			}
		}
	}
}

func TestRecordFails(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	f.run(1, map[*phone]float64{p: 1000})
	f.want(id, media.Latched)
	taken := filepath.Join(t.TempDir(), "file")
	f.must(os.WriteFile(taken, nil, 0o600))
	f.must(f.Record(id, media.RecordOptions{Token: 4, Path: filepath.Join(taken, "no", "folder.wav")}))
	if e := f.want(id, media.RecordEnded); e.Token != 4 || !errors.Is(e.Err, syscall.ENOTDIR) {
		t.Errorf("event %+v", e)
	}
	f.must(f.StopRecord(id)) // nothing is left to stop
	p.drain()
	f.run(20, map[*phone]float64{p: 1000})
	if len(p.heard) != 20 {
		t.Errorf("the call did not go on: %d packets in 20 frames", len(p.heard))
	}
	f.quiet(id)
	if s := f.shards[0]; s.ears.items[0] != nil {
		t.Error("the ear was not given back")
	}
}

func TestRecordIsReplacedAndClosed(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	id, p := f.call(media.PCMU)
	f.run(1, map[*phone]float64{p: 1000})
	f.want(id, media.Latched)
	folder := t.TempDir()
	f.must(f.Record(id, media.RecordOptions{Token: 1, Path: folder + "/1.wav"}))
	f.run(10, map[*phone]float64{p: 1000})
	f.must(f.Record(id, media.RecordOptions{Token: 2, Path: folder + "/2.wav"}))
	f.run(20, map[*phone]float64{p: 1000})
	f.must(f.CloseStream(id))
	for token, frames := range []int{10, 20} {
		e := f.want(id, media.RecordEnded)
		if e.Token != uint64(token+1) || e.Err != nil || e.Duration != time.Duration(frames)*media.FrameDuration {
			t.Errorf("event %+v, want token %d with %d frames", e, token+1, frames)
		}
	}
	f.want(id, media.Closed)
}

// A recording ends when its party has fallen silent, by sending silence, comfort
// noise or nothing, and says so; what was said is in the file, and hardly more.
func TestRecordUntilSilence(t *testing.T) {
	t.Parallel()
	for name, silence := range map[string]func(f *fixture, p *phone, i int){
		"silence": func(_ *fixture, p *phone, _ int) {
			sound := make([]byte, media.FrameSize)
			for i := range sound {
				sound[i] = codec.Silence(p.codec)
			}
			p.send(p.header, sound)
			p.header.Sequence++
		},
		"comfort noise": func(_ *fixture, p *phone, i int) {
			if i%10 == 0 {
				h := p.header
				h.PayloadType = comfortNoise
				p.send(h, []byte{60, 20, 30})
				p.header.Sequence++
			}
		},
		"nothing": func(*fixture, *phone, int) {},
		"hold": func(f *fixture, p *phone, i int) {
			if i == 0 {
				held := p.remote()
				held.Send, held.Receive = false, false
				f.must(f.Connect(f.last, held))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t, Config{})
			id, p := f.call(media.PCMA)
			songs := map[*phone]float64{p: 1000}
			f.run(1, songs)
			f.want(id, media.Latched)
			path := filepath.Join(t.TempDir(), "a.wav")
			f.must(f.Record(id, media.RecordOptions{Token: 7, Path: path, Silence: 2 * time.Second}))
			f.run(100, songs)
			for i := range 80 {
				silence(f, p, i)
				p.header.Timestamp += media.FrameSize
				f.step(media.FrameDuration)
				p.listen()
			}
			f.quiet(id)
			for i := range 40 {
				silence(f, p, 80+i)
				p.header.Timestamp += media.FrameSize
				f.step(media.FrameDuration)
				p.listen()
			}
			e := f.want(id, media.RecordEnded)
			near := func(what string, got, want time.Duration) {
				t.Helper()
				if d := got - want; d < -200*time.Millisecond || d > 200*time.Millisecond {
					t.Errorf("%s is %s, want %s", what, got, want)
				}
			}
			near("what was heard", e.Heard, 2*time.Second)
			near("the length", e.Duration, 2500*time.Millisecond)
			sound := readWAV(t, path, 1)[0]
			near("the file", time.Duration(len(sound))*time.Second/media.SampleRate, e.Duration)
			hears(t, "the file", sound[settle*media.FrameSize:90*media.FrameSize], 1000)
			if e.Token != 7 || e.Err != nil || e.Reason != media.RecordSilent {
				t.Errorf("event %+v", e)
			}
			f.run(10, songs)
			f.quiet(id)
		})
	}
}

// A disk that hangs keeps a stream that was recorded open for some seconds, and
// the plane too, but no longer.
func TestDiskHangs(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := setup(t, Config{})
		f.recorder.Patience = 5 * time.Second
		hung, hang := make(chan struct{}), make(chan struct{})
		defer close(hang)
		f.recorder.Start(media.RecordOptions{Path: folder + "/1.wav"}, func(*recorder.Recording, recorder.Result) {
			close(hung)
			<-hang // as a disk would
		}).Stop()
		<-hung
		id, p := f.call(media.PCMU)
		f.must(f.Record(id, media.RecordOptions{Token: 2, Path: folder + "/2.wav"}))
		f.run(10, map[*phone]float64{p: 1000})
		f.want(id, media.Latched)
		f.must(f.CloseStream(id))
		if e := f.want(id, media.RecordEnded); e.Token != 2 || !errors.Is(e.Err, recorder.ErrStuck) {
			t.Errorf("event %+v", e)
		}
		f.want(id, media.Closed)
		f.close()
	})
}
