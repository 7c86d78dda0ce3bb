// SPDX-License-Identifier: MIT

package prompt

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/mp3"
	"github.com/callwright/callwright/media/wav"
)

const (
	// MaxSize is the size of the largest file that Decode takes, in bytes. It is
	// five minutes of the sound of a compact disc.
	MaxSize = 50 << 20
	// MaxDuration is how long a prompt may sound. A small file can hold hours.
	MaxDuration = 30 * time.Minute
	// LongDuration is how long what is read of a file sounds when Decoder.Long is
	// called: 1 MiB in both codings.
	LongDuration = time.Minute
)

// maxSamples is what MaxDuration is in samples, longSamples what LongDuration is.
const (
	maxSamples  = int(MaxDuration / time.Second * media.SampleRate)
	longSamples = int(LongDuration / time.Second * media.SampleRate)
)

var (
	errTooLarge = fmt.Errorf("the file is larger than %d MiB: make it smaller, with `sox in.wav -r 8000 -c 1 -e mu-law out.wav`", MaxSize>>20)
	errTooLong  = fmt.Errorf("the file sounds for longer than %d minutes: cut it into several", int(MaxDuration.Minutes()))
	errNotMP3   = errors.New("the file begins like MP3, but there is no sound in it that can be read: export it again, or send it as WAV")
	errNoSound  = errors.New("there is no sound in the file: record or export it again")
)

// Decoder reads sound files. Its zero value is ready.
type Decoder struct {
	// Long is called once in a file that sounds for longer than LongDuration,
	// before more of it is read: it takes up to some 100 MiB while it is decoded.
	// An error of Long ends that, and is wrapped. nil does nothing.
	Long func() error
}

// Decode is that of a Decoder's zero value.
func Decode(name string, r io.Reader) (*media.Prompt, error) { return Decoder{}.Decode(name, r) }

// Decode reads a sound file from r and makes a prompt of it. The name says
// where the file came from; it becomes the prompt's and stands in errors.
//
// Files are WAV or MP3. Their channels are mixed into one and brought to 8000
// samples a second; G.711 that has both already is taken over bit by bit. A file
// that is cut off is played as far as it goes. The error for any other file
// tells its owner what it is and what to do; errors of r are wrapped.
func (d Decoder) Decode(name string, r io.Reader) (*media.Prompt, error) {
	if d.Long == nil {
		d.Long = func() error { return nil }
	}
	p, err := d.decode(name, r)
	if err != nil {
		return nil, fmt.Errorf("read prompt %s: %w", name, err)
	}
	return p, nil
}

func (d Decoder) decode(name string, r io.Reader) (*media.Prompt, error) {
	limited := &io.LimitedReader{R: r, N: MaxSize + 1}
	b := bufio.NewReader(limited)
	head, err := b.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var ulaw, alaw []byte
	switch {
	case isWAV(head):
		ulaw, alaw, err = d.readWAV(b)
	case isMP3(head):
		ulaw, alaw, err = d.readMP3(b)
	default:
		err = unplayable(head)
	}
	switch {
	case limited.N <= 0:
		return nil, errTooLarge // whatever else is wrong, it only seemed to end there
	case err != nil:
		return nil, err
	case len(ulaw) == 0:
		return nil, errNoSound
	}
	return inFrames(name, ulaw, alaw), nil
}

// readWAV reads a WAV file.
func (d Decoder) readWAV(r io.Reader) (ulaw, alaw []byte, err error) {
	file, err := wav.NewReader(r)
	if err != nil {
		return nil, nil, err
	}
	format := file.Format()
	if err := format.Readable(); err != nil {
		return nil, nil, err
	}
	ready := format.Channels == 1 && format.SampleRate == media.SampleRate
	if ready && (format.Encoding == wav.ULaw || format.Encoding == wav.ALaw) {
		return d.takeOver(file, format.Encoding)
	}
	return d.convert(file, int(format.SampleRate), int(format.Channels))
}

// takeOver reads sound that is G.711 already and codes it in the other way.
func (d Decoder) takeOver(r io.Reader, encoding wav.Encoding) (ulaw, alaw []byte, err error) {
	coded, err := io.ReadAll(io.LimitReader(r, int64(longSamples)+1))
	if err == nil && len(coded) > longSamples {
		err = d.Long()
	}
	if err == nil && len(coded) > longSamples {
		var rest []byte
		rest, err = io.ReadAll(io.LimitReader(r, int64(maxSamples-longSamples)))
		coded = append(coded, rest...)
	}
	switch {
	case err != nil:
		return nil, nil, err
	case len(coded) > maxSamples:
		return nil, nil, errTooLong
	}
	other := make([]byte, len(coded))
	if encoding == wav.ALaw {
		codec.Transcode(other, coded, media.PCMA, media.PCMU)
		return other, coded, nil
	}
	codec.Transcode(other, coded, media.PCMU, media.PCMA)
	return coded, other, nil
}

// readMP3 reads an MP3 file.
func (d Decoder) readMP3(r io.Reader) (ulaw, alaw []byte, err error) {
	file, err := mp3.NewDecoder(r)
	if errors.Is(err, mp3.ErrNoFrames) {
		return nil, nil, errNotMP3
	}
	if err != nil {
		return nil, nil, err
	}
	return d.convert(file, file.Rate(), 1)
}

// FromSamples makes a prompt of samples at 8000 a second. Without samples it is
// one frame of silence: a prompt is never empty.
func FromSamples(name string, samples []int16) *media.Prompt {
	ulaw, alaw := encode(nil, nil, samples)
	return inFrames(name, ulaw, alaw)
}

// encode appends samples in both codings.
func encode(ulaw, alaw []byte, samples []int16) (u, a []byte) {
	n := len(ulaw)
	ulaw = append(ulaw, make([]byte, len(samples))...)
	alaw = append(alaw, make([]byte, len(samples))...)
	codec.Encode(media.PCMU, ulaw[n:], samples)
	codec.Encode(media.PCMA, alaw[n:], samples)
	return ulaw, alaw
}

// inFrames makes the prompt.
func inFrames(name string, ulaw, alaw []byte) *media.Prompt {
	return &media.Prompt{
		Name: name,
		ULaw: wholeFrames(ulaw, codec.Silence(media.PCMU)),
		ALaw: wholeFrames(alaw, codec.Silence(media.PCMA)),
	}
}

// wholeFrames copies coded, one frame at least, and fills the last frame up with
// silence.
func wholeFrames(coded []byte, silence byte) []byte {
	frames := max(1, (len(coded)+media.FrameSize-1)/media.FrameSize)
	whole := make([]byte, frames*media.FrameSize)
	for i := copy(whole, coded); i < len(whole); i++ {
		whole[i] = silence
	}
	return whole
}
