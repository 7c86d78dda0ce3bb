// SPDX-License-Identifier: MIT

package mp3

// header is the first four bytes of a frame (ISO/IEC 11172-3 section 2.4.1.3).
type header uint32

// same are the bits that all frames of one file share: the mark of a header,
// version, layer and sampling frequency.
const same = 0xFFFE0C00

// bitRates are in kbit/s: of MPEG-1, and of the lower sampling frequencies
// (section 2.4.2.3 of ISO/IEC 11172-3 and of 13818-3). 0 is what we do not know.
var bitRates = [2][16]int{
	{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0},
	{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0},
}

// isValid says whether this can be the header of a frame of layer III.
func (h header) isValid() bool {
	const reserved = 1 // of the versions
	return h>>21 == 0x7FF && h>>19&3 != reserved && h>>17&3 == 1 && h>>10&3 != 3 && bitRates[h.low()][h>>12&15] != 0
}

// low is 1 for the lower sampling frequencies, MPEG-2 and MPEG-2.5, else 0.
func (h header) low() int {
	if h>>19&3 == 3 {
		return 0
	}
	return 1
}

// is25 says whether it is MPEG-2.5.
func (h header) is25() bool { return h>>19&3 == 0 }

// granules is how many times 576 samples are in a frame.
func (h header) granules() int { return 2 - h.low() }

// channels is how many there are.
func (h header) channels() int {
	if h>>6&3 == 3 {
		return 1
	}
	return 2
}

// midSide says that the channels are coded as their sum and difference.
func (h header) midSide() bool { return h>>6&3 == 1 && h>>5&1 == 1 }

// intensity says that high frequencies are coded once for both channels.
func (h header) intensity() bool { return h>>6&3 == 1 && h>>4&1 == 1 }

// checked says that 16 bits of a checksum follow.
func (h header) checked() bool { return h>>16&1 == 0 }

// frequency is the index of the sampling frequency.
func (h header) frequency() int { return int(h >> 10 & 3) }

// rate is the sampling frequency in Hz.
func (h header) rate() int {
	rate := [3]int{44100, 48000, 32000}[h.frequency()] >> h.low()
	if h.is25() {
		rate /= 2
	}
	return rate
}

// size is how many bytes the frame has, with the header.
func (h header) size() int {
	return 144000>>h.low()*bitRates[h.low()][h>>12&15]/h.rate() + int(h>>9&1)
}

// sideSize is how many bytes of side information follow the header and its
// checksum.
func (h header) sideSize() int {
	sizes := [2][3]int{{0, 17, 32}, {0, 9, 17}}
	return sizes[h.low()][h.channels()]
}
