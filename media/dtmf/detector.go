// SPDX-License-Identifier: MIT

package dtmf

import (
	"math"
	"math/cmplx"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
)

// How sound is cut. A key of 40 ms, which must be heard, covers one window
// wholly wherever it begins; one of 23 ms, which must not be (ITU-T Q.24 annex
// A), leaves three hops of it empty.
const (
	hop    = 32         // samples, 4 ms: how exact the ends of a tone are known
	part   = 3          // hops that one spectrum is made of: 83 Hz tell rows apart
	window = 3 * part   // hops that must be one key, 36 ms
	pause  = 5          // hops without the key until it is released, 20 ms
	size   = hop * part // samples of a part
)

// What a key must sound like.
const (
	// quietest is the power of both tones together, in dBm0, below which nothing
	// is looked at. ITU-T Q.24 asks to hear keys down to -29 dBm0 a tone.
	quietest = -32
	// steadyLow and steadyHigh bound the energy of each hop of a window, as
	// parts of their mean. Two tones beat; speech and the ends of a tone differ
	// by more.
	steadyLow, steadyHigh = 0.5, 1.7
	// crossingsLow and crossingsHigh are how often a window of two tones may
	// change its sign: as often as the lower one does, or the higher, or
	// something between. Most of speech crosses less.
	crossingsLow, crossingsHigh = 42, 130
	// pure is the part of the energy that must be in the two tones.
	pure = 0.9
	// rowLouder and columnLouder are by how much one tone may be stronger than
	// the other, as a ratio of powers: 10 dB and 6 dB, beyond the 8 dB and 4 dB
	// that lines may cause.
	rowLouder, columnLouder = 10, 4
	// astray is how far a tone may be from its frequency: between the 1.5 % that
	// must be heard and the 3.5 % that must not.
	astray = 0.025
	// held is the part of the energy that keeps a key that was told pressed, and
	// faded how much of the last hop's energy.
	held, faded = 0.5, 0.25
)

// Detector finds keys in sound: pairs of tones, one of four rows and one of
// four columns (ITU-T Q.23), as steady and as pure as no voice is. The zero
// value is ready. It is not safe for concurrent use.
//
// It looks at the power and the changes of sign first, so that silence and
// nearly all speech cost little more than being decoded.
type Detector struct {
	hops    [window]segment // a ring
	next    uint8           // the oldest of hops
	down    uint8           // the key that is pressed, its code + 1
	missing uint8           // hops in a row in which it was not heard
	level   float32         // energy of the last hop in which it was
}

// segment is a hop of sound.
type segment struct {
	sound     [hop]int16
	energy    float32
	crossings uint8 // changes of sign
}

// Sound takes the next 20 ms, coded as c. It returns the key, one of 0-9 * #
// A-D, and true once for each key, when it has sounded for about 40 ms.
func (d *Detector) Sound(c media.Codec, sound *[media.FrameSize]byte) (key byte, ok bool) {
	for at := 0; at < len(sound); at += hop {
		s := &d.hops[d.next]
		last := d.hops[(d.next+window-1)%window].sound[hop-1]
		codec.Decode(c, s.sound[:], sound[at:at+hop])
		s.measure(last)
		d.next = (d.next + 1) % window
		if d.stillDown(s) {
			continue
		}
		if code, found := d.find(); found {
			d.down, d.missing, d.level = code+1, 0, s.energy
			key, ok = keys[code], true // two in 20 ms are not possible
		}
	}
	return key, ok
}

// measure notes the energy and the changes of sign after the sample last.
func (s *segment) measure(last int16) {
	var energy int64
	var crossings uint16
	for _, v := range s.sound {
		energy += int64(v) * int64(v)
		crossings += uint16(v^last) >> 15
		last = v
	}
	s.energy, s.crossings = float32(energy), uint8(crossings)
}

// stillDown says whether the key that was told is held, and forgets it when it
// has been gone for a pause.
func (d *Detector) stillDown(s *segment) bool {
	if d.down == 0 {
		return false
	}
	row, column := pitchesOf(d.down - 1)
	if s.energy > d.level*faded && s.power(row)+s.power(column) > held*float64(s.energy) {
		d.missing, d.level = 0, s.energy
		return true
	}
	d.missing++
	if d.missing >= pause {
		d.down = 0
	}
	return true
}

// power is the energy that one tone has in the hop.
func (s *segment) power(t *pitch) float64 {
	var s1, s2 float64
	for _, v := range s.sound {
		s1, s2 = float64(v)+t.c*s1-s2, s1
	}
	return (s1*s1 + s2*s2 - t.c*s1*s2) * 2 / hop
}

// find says which key the whole window is, if any. The tests are in the order
// of what they cost.
func (d *Detector) find() (code uint8, ok bool) {
	var energy float32
	crossings := 0
	for i := range d.hops {
		energy += d.hops[i].energy
		crossings += int(d.hops[i].crossings)
	}
	mean := energy / window
	if mean < gate || crossings < crossingsLow || crossings > crossingsHigh {
		return 0, false
	}
	for i := range d.hops {
		if e := d.hops[i].energy; e < mean*steadyLow || e > mean*steadyHigh {
			return 0, false
		}
	}
	// The columns tell most sounds from keys: little of a voice is that high.
	var spectra [window / part]spectrum
	column, power := d.loudest(&columns, &spectra)
	highest, onColumn := columns[column].fit(&spectra, column, power)
	if !onColumn || highest*(1+rowLouder) < pure*float64(energy) {
		return 0, false
	}
	row, power := d.loudest(&rows, &spectra)
	lowest, onRow := rows[row].fit(&spectra, row, power)
	if !onRow || lowest+highest < pure*float64(energy) || lowest > highest*rowLouder || highest > lowest*columnLouder {
		return 0, false
	}
	return layout[row][column], true
}

// spectrum is how much of each of four tones is in one part of the window, and
// with which phase at its end.
type spectrum [4]complex128

// loudest measures four tones in each part of the window and says which one is
// the strongest, and the energy that it has.
func (d *Detector) loudest(tones *[4]pitch, spectra *[window / part]spectrum) (best int, power float64) {
	var powers [4]float64
	for p := range spectra {
		first := (int(d.next) + p*part) % window
		spectra[p] = d.analyse(tones, first)
		for i, x := range spectra[p] {
			powers[i] += real(x)*real(x) + imag(x)*imag(x)
		}
	}
	for i := range powers {
		if powers[i] > powers[best] {
			best = i
		}
	}
	return best, powers[best] * 2 / size
}

// analyse is Goertzel's algorithm for four tones in one pass, over the part that
// begins with the given hop. Four at a time hide each other's waiting.
func (d *Detector) analyse(tones *[4]pitch, first int) (x spectrum) {
	a, b, c, e := tones[0].c, tones[1].c, tones[2].c, tones[3].c
	var a1, a2, b1, b2, c1, c2, e1, e2 float64
	for i := range part {
		for _, sample := range &d.hops[(first+i)%window].sound {
			v := float64(sample)
			a1, a2 = v-a2+a*a1, a1
			b1, b2 = v-b2+b*b1, b1
			c1, c2 = v-c2+c*c1, c1
			e1, e2 = v-e2+e*e1, e1
		}
	}
	return spectrum{tones[0].end(a1, a2), tones[1].end(b1, b2), tones[2].end(c1, c2), tones[3].end(e1, e2)}
}

// pitch is one of the eight tones.
type pitch struct {
	hz   float64
	c    float64    // 2 cos of the angle of one sample
	turn complex128 // of one sample
	back complex128 // of all samples of a part, backwards
}

func pitchOf(hz float64) pitch {
	angle := 2 * math.Pi * hz / media.SampleRate
	return pitch{hz: hz, c: 2 * math.Cos(angle), turn: cmplx.Rect(1, -angle), back: cmplx.Rect(1, -angle*size)}
}

// end turns the state of Goertzel's algorithm into amplitude and phase.
func (t *pitch) end(s1, s2 float64) complex128 { return complex(s1, 0) - t.turn*complex(s2, 0) }

// fit says whether the tone that was measured as number i of the spectra is this
// one, by how its phase turns from part to part. The energy it returns is made
// up for what is lost by being measured a little beside the tone.
func (t *pitch) fit(spectra *[window / part]spectrum, i int, power float64) (energy float64, ok bool) {
	exact := 2 * math.Pi * t.hz / media.SampleRate * size // angle of one part
	var turn complex128
	for p := 1; p < len(spectra); p++ {
		turn += spectra[p][i] * cmplx.Conj(spectra[p-1][i])
	}
	off := cmplx.Phase(turn * t.back) // in one part, by which the tone is off
	if math.Abs(off) > astray*exact {
		return 0, false
	}
	if off != 0 {
		lost := math.Sin(off/2) / (off / 2)
		power /= lost * lost
	}
	return power, true
}

// pitchesOf gives the two tones of a key.
func pitchesOf(code uint8) (row, column *pitch) {
	for r := range layout {
		for c := range layout[r] {
			if layout[r][c] == code {
				return &rows[r], &columns[c]
			}
		}
	}
	return nil, nil
}

// The tables are filled when the program starts and never written again.
var (
	rows    = [4]pitch{pitchOf(697), pitchOf(770), pitchOf(852), pitchOf(941)}
	columns = [4]pitch{pitchOf(1209), pitchOf(1336), pitchOf(1477), pitchOf(1633)}
	// layout is the keypad, in event codes.
	layout = [4][4]uint8{{1, 2, 3, 12}, {4, 5, 6, 13}, {7, 8, 9, 14}, {10, 0, 11, 15}}
	// gate is the energy of a hop at the level quietest.
	gate = float32(hop * math.Pow(10, quietest/10.) * zeroDBm0)
)

// zeroDBm0 is the mean square of the samples of a 0 dBm0 sine: the loudest one
// that 16 bits hold has +3.17 dBm0 (ITU-T G.711 section 3).
const zeroDBm0 = math.MaxInt16 * math.MaxInt16 / 2 * 0.48195
