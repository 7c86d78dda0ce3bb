// SPDX-License-Identifier: MIT

package recorder_test

import (
	"errors"
	"io"
	"io/fs"
	"math"
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

// frames codes a tone, a frame at a time.
func frames(c media.Codec, n int, hz float64) (f [][media.FrameSize]byte) {
	samples := tone.Make(n*media.FrameSize, -10, hz)
	for ; len(samples) > 0; samples = samples[media.FrameSize:] {
		var one [media.FrameSize]byte
		codec.Encode(c, one[:], samples)
		f = append(f, one)
	}
	return f
}

// read reads a recording back, channel by channel.
func read(t *testing.T, path string) (channels [2][]int16) {
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
	sound, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if r.Format().Encoding != wav.PCM || r.Format().Bits != 16 {
		t.Errorf("the file is %v", r.Format())
	}
	n := int(r.Format().Channels)
	for i := 0; i+1 < len(sound); i += 2 {
		channels[i/2%n] = append(channels[i/2%n], int16(sound[i])|int16(sound[i+1])<<8)
	}
	return channels
}

func setup(t *testing.T) (*recorder.Recorder, chan recorder.Result, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.wav") // to be removed after Close
	r := recorder.New()
	r.Patience = time.Minute // a busy machine's disk does not hang
	t.Cleanup(r.Close)
	return r, make(chan recorder.Result, 10), path
}

func into(results chan recorder.Result) func(*recorder.Recording, recorder.Result) {
	return func(_ *recorder.Recording, r recorder.Result) { results <- r }
}

func level(t *testing.T, what string, samples []int16, frames int, hz float64) {
	t.Helper()
	levels := tone.Levels(samples, hz)
	if len(levels) != frames {
		t.Errorf("%s: %d frames, want %d", what, len(levels), frames)
	}
	for i, l := range levels {
		if l < -11 || l > -9 {
			t.Fatalf("%s: %g Hz at %.1f dB in frame %d", what, hz, l, i)
		}
	}
}

func TestRecordReceived(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 49, 50, 51, 175} {
		r, results, path := setup(t)
		rec := r.Start(media.RecordOptions{Path: path}, into(results))
		var none [media.FrameSize]byte
		for _, f := range frames(media.PCMA, n, 1000) {
			if !rec.Add(media.PCMA, &f, &none) {
				t.Fatal("stopped early")
			}
		}
		rec.Stop()
		if got := <-results; got.Err != nil || got.Duration != time.Duration(n)*media.FrameDuration {
			t.Errorf("%d frames: %+v", n, got)
		}
		channels := read(t, path)
		level(t, "received", channels[0], n, 1000)
		if len(channels[1]) != 0 {
			t.Error("there is a second channel")
		}
	}
}

func TestRecordBothAcrossCodecs(t *testing.T) {
	t.Parallel()
	r, results, path := setup(t)
	rec := r.Start(media.RecordOptions{Path: path, What: media.RecordStereo}, into(results))
	for _, c := range []media.Codec{media.PCMU, media.PCMA} { // the call changes it
		received, sent := frames(c, 40, 1000), frames(c, 40, 440)
		for i := range received {
			rec.Add(c, &received[i], &sent[i])
		}
	}
	rec.Stop()
	if got := <-results; got.Err != nil || got.Duration != 80*media.FrameDuration {
		t.Errorf("%+v", got)
	}
	channels := read(t, path)
	level(t, "received", channels[0], 80, 1000)
	level(t, "sent", channels[1], 80, 440)
}

// What a recording has of a call in which one side is heard at 1000 Hz and the
// other at 440 Hz.
func TestWhatIsRecorded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		what media.RecordWhat
		hz   []float64 // of the one channel, or of left and right
	}{
		{media.RecordSaid, []float64{1000}}, {media.RecordHeard, []float64{440}}, {media.RecordStereo, []float64{1000, 440}},
	} {
		r, results, path := setup(t)
		rec := r.Start(media.RecordOptions{Path: path, What: tt.what}, into(results))
		received, sent := frames(media.PCMU, 75, 1000), frames(media.PCMU, 75, 440)
		for i := range received {
			rec.Add(media.PCMU, &received[i], &sent[i])
		}
		rec.Stop()
		if got := <-results; got.Err != nil || got.Duration != 75*media.FrameDuration {
			t.Errorf("kind %d: %+v", tt.what, got)
		}
		for c, samples := range read(t, path) {
			if c < len(tt.hz) {
				level(t, "channel", samples, 75, tt.hz[c])
			} else if len(samples) != 0 {
				t.Errorf("kind %d has a second channel", tt.what)
			}
		}
	}
}

func TestMixed(t *testing.T) {
	t.Parallel()
	r, results, path := setup(t)
	rec := r.Start(media.RecordOptions{Path: path, What: media.RecordMixed}, into(results))
	received, sent := frames(media.PCMA, 60, 1000), frames(media.PCMA, 60, 440)
	for i := range received {
		rec.Add(media.PCMA, &received[i], &sent[i])
	}
	rec.Stop()
	if got := <-results; got.Err != nil || got.Duration != 60*media.FrameDuration {
		t.Errorf("%+v", got)
	}
	channels := read(t, path)
	if len(channels[1]) != 0 {
		t.Error("there is a second channel")
	}
	for _, hz := range []float64{1000, 440} {
		for i, l := range tone.Levels(channels[0], hz) {
			if l < -11.5 || l > -8.5 {
				t.Fatalf("%g Hz at %.1f dB in frame %d", hz, l, i)
			}
		}
	}
}

// What is louder than a sample can hold is clipped; it must not turn into its
// opposite.
func TestMixedClips(t *testing.T) {
	t.Parallel()
	r, results, path := setup(t)
	rec := r.Start(media.RecordOptions{Path: path, What: media.RecordMixed}, into(results))
	var loud [media.FrameSize]byte // µ-law 0x80 is the greatest sample, 0x00 the least
	for i := range loud {
		loud[i] = 0x80
	}
	rec.Add(media.PCMU, &loud, &loud)
	var least [media.FrameSize]byte
	rec.Add(media.PCMU, &least, &least)
	rec.Stop()
	<-results
	samples := read(t, path)[0]
	if samples[0] != math.MaxInt16 || samples[media.FrameSize] != math.MinInt16 {
		t.Errorf("twice the greatest is %d, twice the least %d", samples[0], samples[media.FrameSize])
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	r, results, path := setup(t)
	// A part of a frame counts for one: a short limit is not none.
	rec := r.Start(media.RecordOptions{Path: path, MaxDuration: 199 * time.Millisecond}, into(results))
	var f [media.FrameSize]byte
	n := 1
	for rec.Add(media.PCMU, &f, &f) {
		n++
	}
	rec.Stop()
	if got := <-results; n != 10 || got.Duration != 200*time.Millisecond || got.Err != nil {
		t.Errorf("after %d frames: %+v", n, got)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	r, results, path := setup(t)
	var f [media.FrameSize]byte
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, path := range map[error]string{
		fs.ErrExist:     path,
		syscall.ENOTDIR: path + "/no/such/folder",
	} {
		rec := r.Start(media.RecordOptions{Path: path}, into(results))
		for range 200 { // the call goes on for a while
			rec.Add(media.PCMU, &f, &f)
		}
		rec.Stop()
		got := <-results
		if !errors.Is(got.Err, want) {
			t.Errorf("%s: %v", path, got.Err)
		}
	}
	if b, _ := os.ReadFile(path); string(b) != "precious" {
		t.Error("a file that was there has been overwritten")
	}
	r.Close() // all is written: each recording must have told its end once
	if len(results) != 0 {
		t.Errorf("%d more results", len(results))
	}
}

// The file is good before the recording has ended, as it must be when the
// process is killed.
func TestReadableAtAnyTime(t *testing.T) {
	t.Parallel()
	r, results, path := setup(t)
	rec := r.Start(media.RecordOptions{Path: path}, into(results))
	for _, f := range frames(media.PCMU, 120, 1000) {
		rec.Add(media.PCMU, &f, &f)
	}
	// Two whole chunks are on their way. A second recording follows them.
	other := r.Start(media.RecordOptions{Path: path + "2"}, into(results))
	other.Stop()
	if got := <-results; got.Err != nil {
		t.Fatal(got.Err)
	}
	level(t, "so far", read(t, path)[0], 100, 1000)
	rec.Stop()
	<-results
	level(t, "all", read(t, path)[0], 120, 1000)
}

// A writer that hangs costs a minute of sound, not the memory of the machine.
func TestSlowDisk(t *testing.T) {
	t.Parallel()
	r, _, path := setup(t)
	hang := make(chan struct{})
	results := make(chan recorder.Result, 2)
	blocker := r.Start(media.RecordOptions{Path: path}, func(_ *recorder.Recording, res recorder.Result) {
		<-hang // as a disk would
		results <- res
	})
	blocker.Stop()
	rec := r.Start(media.RecordOptions{Path: path + "2"}, into(results))
	var f [media.FrameSize]byte
	seconds := 0
	for n := 0; n < 100*50; n++ {
		if !rec.Add(media.PCMU, &f, &f) {
			seconds = n / 50
			break
		}
	}
	rec.Stop()
	close(hang)
	<-results
	if got := <-results; !errors.Is(got.Err, recorder.ErrTooSlow) || seconds < 30 || seconds > 65 {
		t.Errorf("after %d s: %+v", seconds, got)
	}
}

// However many recordings wait for a disk that hangs, what they keep is bounded.
func TestSlowDiskOfMany(t *testing.T) {
	t.Parallel()
	r, _, path := setup(t)
	hang, hung := make(chan struct{}), make(chan struct{})
	r.Start(media.RecordOptions{Path: path}, func(*recorder.Recording, recorder.Result) {
		close(hung)
		<-hang // as a disk would
	}).Stop()
	<-hung
	const many = 300
	var f [media.FrameSize]byte
	results, taken := make(chan recorder.Result, many), 0
	for range many {
		// There is no such folder: what is kept is not written in the end.
		rec := r.Start(media.RecordOptions{Path: path + "/file.wav"}, into(results))
		for range 60 * 50 {
			if !rec.Add(media.PCMU, &f, &f) {
				break
			}
			taken++
		}
		rec.Stop()
	}
	close(hang)
	for range many {
		<-results
	}
	if seconds := taken / 50; seconds < 15_000 || seconds > 16_384 {
		t.Errorf("%d s of sound were kept, of %d", seconds, many*60)
	}
}

// A disk that hangs for ever holds up neither the end of a recording nor Close.
// When it goes on, the file is completed, and nothing is told twice.
func TestStuckDisk(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.wav")
	synctest.Test(t, func(t *testing.T) {
		r := recorder.New()
		results, hang := make(chan recorder.Result, 3), make(chan struct{})
		blocker := r.Start(media.RecordOptions{Path: path + "1"}, func(_ *recorder.Recording, res recorder.Result) {
			results <- res
			<-hang // as a disk would
		})
		blocker.Stop()
		if got := <-results; got.Err != nil {
			t.Fatal(got.Err)
		}
		rec := r.Start(media.RecordOptions{Path: path}, into(results))
		for _, f := range frames(media.PCMU, 120, 1000) {
			rec.Add(media.PCMU, &f, &f)
		}
		stopped := time.Now()
		rec.Stop()
		if got := <-results; !errors.Is(got.Err, recorder.ErrStuck) || got.Duration != 120*media.FrameDuration {
			t.Errorf("%+v", got)
		}
		r.Close()
		if took := time.Since(stopped); took != 10*time.Second {
			t.Errorf("the end and Close took %v, want 5 s each", took)
		}
		close(hang)
		synctest.Wait()
		level(t, "all", read(t, path)[0], 120, 1000)
		if len(results) != 0 {
			t.Error("the end was told twice")
		}
	})
}

func TestCloseCompletesFiles(t *testing.T) {
	t.Parallel()
	r, results, path := setup(t)
	rec := r.Start(media.RecordOptions{Path: path}, into(results))
	for _, f := range frames(media.PCMU, 50, 1000) {
		rec.Add(media.PCMU, &f, &f)
	}
	r.Close()
	if got := <-results; got.Duration != time.Second {
		t.Errorf("%+v", got)
	}
	level(t, "all", read(t, path)[0], 50, 1000)
}
