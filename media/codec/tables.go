// SPDX-License-Identifier: MIT

package codec

import "github.com/zaf/g711"

// The low bits of a sample that its coding does not depend on. Leaving them
// out of the index makes the tables 16 KB and 4 KB instead of 64 KB each, so
// that they stay in the processor's first cache.
const (
	ulawUnused = 2
	alawUnused = 4
)

// The tables are filled when the program starts and never written again.
var (
	ulawToSample = table(g711.DecodeUlawFrame)
	alawToSample = table(g711.DecodeAlawFrame)
	ulawToALaw   = table(g711.Ulaw2AlawFrame)
	alawToULaw   = table(g711.Alaw2UlawFrame)
	sampleToULaw = ulawEncoding()
	sampleToALaw = alawEncoding()
	ulawToPower  = squares(&ulawToSample)
	alawToPower  = squares(&alawToSample)
)

// table writes down what convert gives for each byte.
func table[T int16 | uint8](convert func(uint8) T) (t [256]T) {
	for i := range t {
		t[i] = convert(uint8(i))
	}
	return t
}

// squares writes down the square of each byte's sample.
func squares(samples *[256]int16) (t [256]uint32) {
	for i, v := range samples {
		t[i] = uint32(int32(v) * int32(v))
	}
	return t
}

// ulawEncoding gives the µ-law byte of each sample, by the sample's upper bits.
func ulawEncoding() (t [1 << 16 >> ulawUnused]uint8) {
	for i := range t {
		t[i] = g711.EncodeUlawFrame(int16(uint16(i << ulawUnused)))
	}
	return t
}

// alawEncoding gives the A-law byte of each sample, by the sample's upper bits.
func alawEncoding() (t [1 << 16 >> alawUnused]uint8) {
	for i := range t {
		t[i] = g711.EncodeAlawFrame(int16(uint16(i << alawUnused)))
	}
	return t
}
