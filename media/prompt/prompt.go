// SPDX-License-Identifier: MIT

package prompt

import (
	"errors"
	"fmt"
	"io"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/wav"
)

// MaxSize is the size of the largest file that Decode takes, in bytes. It is a
// little over 17 minutes of 16-bit PCM.
const MaxSize = 16 << 20

var (
	errTooLarge = fmt.Errorf("the file is larger than %d MiB: cut it into several, or make it smaller with `sox in.wav -e mu-law out.wav`", MaxSize>>20)
	errNoSound  = errors.New("the file is a WAV file without any sound in it: record or export it again")
)

// Decode reads a sound file from r and makes a prompt of it. The name says
// where the file came from; it becomes the prompt's and stands in errors.
//
// Files are WAV, mono, 8000 Hz, of 16-bit PCM, µ-law or A-law. G.711 is taken
// over bit by bit. The error for any other file tells its owner what it is and
// what to do; errors of r are wrapped.
func Decode(name string, r io.Reader) (*media.Prompt, error) {
	p, err := decode(name, r)
	if err != nil {
		return nil, fmt.Errorf("read prompt %s: %w", name, err)
	}
	return p, nil
}

func decode(name string, r io.Reader) (*media.Prompt, error) {
	limited := &io.LimitedReader{R: r, N: MaxSize + 1}
	ulaw, alaw, err := bothCodings(limited)
	if limited.N <= 0 {
		return nil, errTooLarge // whatever else is wrong, it only seemed to end there
	}
	if err != nil {
		return nil, err
	}
	if len(ulaw) == 0 {
		return nil, errNoSound
	}
	return inFrames(name, ulaw, alaw), nil
}

// bothCodings reads a WAV file and codes its sound in the ways in which it is
// not yet coded.
func bothCodings(r io.Reader) (ulaw, alaw []byte, err error) {
	file, err := wav.NewReader(r)
	if err != nil {
		return nil, nil, err
	}
	format := file.Format()
	if err := format.Playable(); err != nil {
		return nil, nil, err
	}
	if format.Encoding == wav.PCM {
		samples, err := file.Samples()
		if err != nil {
			return nil, nil, err
		}
		ulaw, alaw = encode(samples)
		return ulaw, alaw, nil
	}
	coded, err := io.ReadAll(file)
	if err != nil {
		return nil, nil, err
	}
	other := make([]byte, len(coded))
	if format.Encoding == wav.ALaw {
		codec.Transcode(other, coded, media.PCMA, media.PCMU)
		return other, coded, nil
	}
	codec.Transcode(other, coded, media.PCMU, media.PCMA)
	return coded, other, nil
}

// FromSamples makes a prompt of samples at 8000 a second. Without samples it is
// one frame of silence: a prompt is never empty.
func FromSamples(name string, samples []int16) *media.Prompt {
	ulaw, alaw := encode(samples)
	return inFrames(name, ulaw, alaw)
}

// encode codes samples both ways.
func encode(samples []int16) (ulaw, alaw []byte) {
	ulaw, alaw = make([]byte, len(samples)), make([]byte, len(samples))
	codec.Encode(media.PCMU, ulaw, samples)
	codec.Encode(media.PCMA, alaw, samples)
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
