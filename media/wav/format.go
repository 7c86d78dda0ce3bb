// SPDX-License-Identifier: MIT

package wav

import "fmt"

// Encoding is how samples are coded: the format tag of RFC 2361.
type Encoding uint16

// The encodings that can be read and written.
const (
	PCM   Encoding = 1 // linear, low byte first
	Float Encoding = 3 // floating point; it is only read
	ALaw  Encoding = 6 // G.711 A-law
	ULaw  Encoding = 7 // G.711 µ-law
)

// extensible says that the encoding stands further on in the format.
const extensible Encoding = 0xFFFE

// String names the encoding as customers know it.
func (e Encoding) String() string {
	switch e {
	case PCM:
		return "PCM"
	case Float:
		return "floating point"
	case ALaw:
		return "A-law"
	case ULaw:
		return "µ-law"
	case 0x02, 0x11:
		return "ADPCM"
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
	if f.Encoding == PCM || f.Encoding == Float {
		return fmt.Sprintf("%d Hz %s %d-bit %v", f.SampleRate, channels, f.Bits, f.Encoding)
	}
	return fmt.Sprintf("%d Hz %s %v", f.SampleRate, channels, f.Encoding)
}

// maxChannels is the most channels that are read: more is a broken header.
const maxChannels = 32

// Readable returns nil if sound of this format can be read, at whatever rate,
// and otherwise an error that tells a customer what to do with the file.
func (f Format) Readable() error {
	switch {
	case f.sampleSize() == 0:
		return fmt.Errorf("the file is %v; WAV can be played with PCM of 8 to 32 bits, floating point, µ-law or A-law in it: "+
			"convert it with `sox in.wav -r 8000 -c 1 -b 16 -e signed-integer out.wav`", f)
	case f.Channels == 0 || f.Channels > maxChannels:
		return fmt.Errorf("the file claims to have %d channels: export it again, with one or two", f.Channels)
	}
	return nil
}

// sampleSize is how many bytes a sample of one channel takes; 0 if it cannot be
// decoded. The encoding of G.711 says all: some writers put 16 bits, or none,
// into its header.
func (f Format) sampleSize() int {
	switch {
	case f.Encoding == ALaw || f.Encoding == ULaw:
		return 1
	case f.Encoding == PCM && f.Bits >= 1 && f.Bits <= 32:
		return (int(f.Bits) + 7) / 8
	case f.Encoding == Float && (f.Bits == 32 || f.Bits == 64):
		return int(f.Bits) / 8
	}
	return 0
}
