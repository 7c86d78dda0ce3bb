// SPDX-License-Identifier: MIT

package wav

import (
	"fmt"

	"github.com/callwright/callwright/media"
)

// Encoding is how samples are coded: the format tag of RFC 2361.
type Encoding uint16

// The encodings that can be read and written.
const (
	PCM  Encoding = 1 // linear; we take 16 bits, signed, low byte first
	ALaw Encoding = 6 // G.711 A-law
	ULaw Encoding = 7 // G.711 µ-law
)

// extensible says that the encoding stands further on in the format.
const extensible Encoding = 0xFFFE

// String names the encoding as customers know it.
func (e Encoding) String() string {
	switch e {
	case PCM:
		return "PCM"
	case ALaw:
		return "A-law"
	case ULaw:
		return "µ-law"
	case 0x02, 0x11:
		return "ADPCM"
	case 0x03:
		return "floating point"
	case 0x31:
		return "GSM 6.10"
	case 0x55:
		return "MP3"
	}
	return fmt.Sprintf("format 0x%04X", uint16(e))
}

// Format is what a file says of its sound.
type Format struct {
	Encoding   Encoding
	Channels   uint16
	SampleRate uint32 // in samples a second and channel
	Bits       uint16 // per sample
}

// String says what the file is, like "44100 Hz stereo 24-bit PCM".
func (f Format) String() string {
	channels := fmt.Sprintf("%d-channel", f.Channels)
	switch f.Channels {
	case 1:
		channels = "mono"
	case 2:
		channels = "stereo"
	}
	if f.Encoding == PCM {
		return fmt.Sprintf("%d Hz %s %d-bit PCM", f.SampleRate, channels, f.Bits)
	}
	return fmt.Sprintf("%d Hz %s %v", f.SampleRate, channels, f.Encoding)
}

// playable is what errors tell customers to bring.
const playable = "callwright plays mono 8000 Hz WAV (16-bit PCM, µ-law or A-law)"

// Playable returns nil if sound of this format can be played as it is, and
// otherwise an error that tells a customer what to do with the file.
func (f Format) Playable() error {
	if f.Channels == 1 && f.SampleRate == media.SampleRate && f.readable() {
		return nil
	}
	return fmt.Errorf("the file is %v; %s: convert it with `sox in.wav -r 8000 -c 1 -b 16 out.wav`", f, playable)
}

// readable says whether the samples can be decoded. The encoding of G.711 says
// all: some writers put 16 bits, or none, into its header.
func (f Format) readable() bool {
	return f.Encoding == PCM && f.Bits == 16 || f.Encoding == ALaw || f.Encoding == ULaw
}
