// SPDX-License-Identifier: MIT

package codec

import "github.com/callwright/callwright/media"

// Decode turns bytes coded as c into 16-bit samples. Like copy it handles as
// many as fit, min(len(dst), len(src)), and returns that number.
//
// Here and below, PCMA means A-law and any other codec is taken for PCMU: who
// calls has settled the codec before the first frame.
func Decode(c media.Codec, dst []int16, src []byte) int {
	table := &ulawToSample
	if c == media.PCMA {
		table = &alawToSample
	}
	n := min(len(dst), len(src))
	dst, src = dst[:n], src[:n]
	for i := range dst {
		dst[i] = table[src[i]]
	}
	return n
}

// Encode turns 16-bit samples into bytes coded as c. Like copy it handles as
// many as fit, min(len(dst), len(src)), and returns that number.
func Encode(c media.Codec, dst []byte, src []int16) int {
	n := min(len(dst), len(src))
	dst, src = dst[:n], src[:n]
	if c == media.PCMA {
		for i := range dst {
			dst[i] = sampleToALaw[uint16(src[i])>>alawUnused]
		}
		return n
	}
	for i := range dst {
		dst[i] = sampleToULaw[uint16(src[i])>>ulawUnused]
	}
	return n
}

// Transcode turns bytes coded as from into bytes coded as to, without a detour
// over samples. If both are the same it copies. It handles min(len(dst),
// len(src)) bytes and returns that number. The slices may be the same one.
func Transcode(dst, src []byte, from, to media.Codec) int {
	if (from == media.PCMA) == (to == media.PCMA) {
		return copy(dst, src)
	}
	table := &ulawToALaw
	if from == media.PCMA {
		table = &alawToULaw
	}
	n := min(len(dst), len(src))
	dst, src = dst[:n], src[:n]
	for i := range dst {
		dst[i] = table[src[i]]
	}
	return n
}

// Silence gives the byte that stands for silence: the positive code nearest to
// zero (ITU-T G.711 tables 1 and 2).
func Silence(c media.Codec) byte {
	if c == media.PCMA {
		return 0xD5
	}
	return 0xFF
}

// Power gives the mean square of the samples that bytes coded as c stand for; 0 of
// none. That of the loudest square wave is 1<<30.
func Power(c media.Codec, coded []byte) uint64 {
	if len(coded) == 0 {
		return 0
	}
	table := &ulawToPower
	if c == media.PCMA {
		table = &alawToPower
	}
	var sum uint64
	for _, b := range coded {
		sum += uint64(table[b])
	}
	return sum / uint64(len(coded))
}
