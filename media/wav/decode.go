// SPDX-License-Identifier: MIT

package wav

import (
	"encoding/binary"
	"math"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
)

// decode turns coded sound into samples of 16 bits, as many as fit and are
// whole, and returns how many. The format must be readable.
func (f Format) decode(dst []int16, coded []byte) int {
	size := f.sampleSize()
	n := min(len(dst), len(coded)/size)
	dst, coded = dst[:n], coded[:n*size]
	switch f.Encoding {
	case ULaw:
		return codec.Decode(media.PCMU, dst, coded)
	case ALaw:
		return codec.Decode(media.PCMA, dst, coded)
	case Float:
		decodeFloat(dst, coded, size)
	default:
		decodeLinear(dst, coded, size)
	}
	return n
}

// decodeLinear reads PCM. One byte is unsigned, more are signed; of more than 16
// bits the upper ones are kept, rounded. What is narrower than its bytes, like
// 12 bits in two, fills the upper bits.
func decodeLinear(dst []int16, coded []byte, size int) {
	le := binary.LittleEndian
	for i := range dst {
		b := coded[i*size:]
		switch size {
		case 1:
			dst[i] = int16(b[0]^0x80) << 8
		case 2:
			dst[i] = int16(le.Uint16(b))
		case 3:
			dst[i] = upper(int32(uint32(b[0])<<8 | uint32(le.Uint16(b[1:]))<<16))
		case 4:
			dst[i] = upper(int32(le.Uint32(b)))
		}
	}
}

// upper rounds to the upper 16 bits.
func upper(v int32) int16 {
	return int16((int64(min(v, math.MaxInt32-1<<15)) + 1<<15) >> 16)
}

// decodeFloat reads floating point, in which 1 is full scale.
func decodeFloat(dst []int16, coded []byte, size int) {
	for i := range dst {
		var v float64
		if size == 8 {
			v = math.Float64frombits(binary.LittleEndian.Uint64(coded[i*size:]))
		} else {
			v = float64(math.Float32frombits(binary.LittleEndian.Uint32(coded[i*size:])))
		}
		if math.IsNaN(v) {
			v = 0 // no number is no sound
		}
		dst[i] = int16(math.Round(max(math.MinInt16, min(math.MaxInt16, v*-math.MinInt16))))
	}
}
