// SPDX-License-Identifier: MIT

package dtmf

import (
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/tone"
)

// The levels of keys that are sent, in dBm0. Lines lose more of what is higher.
const (
	rowLevel    = -10
	columnLevel = -8
)

// Tones are 20 ms of a key that is sent as sound, or of the pause after it,
// ready in both codings. They are shared and never changed.
type Tones struct{ ULaw, ALaw [media.FrameSize]byte }

// tonesOf gives a frame of a key, counted from 0; those behind its end are
// silent.
func tonesOf(code, frame uint8) *Tones {
	if frame >= toneFrames {
		return &ready.pause
	}
	return &ready.keys[code][frame]
}

// ready is filled when the program starts and never written again.
var ready = readyTones()

type readyToSend struct {
	keys  [len(keys)][toneFrames]Tones
	pause Tones
}

func readyTones() (r readyToSend) {
	const n = toneFrames * media.FrameSize
	var row, column [4][n]int16
	for i := range row {
		tone.Add(row[i][:], 0, rows[i].hz, rowLevel+tone.ZeroDBm0)
		tone.Add(column[i][:], 0, columns[i].hz, columnLevel+tone.ZeroDBm0)
	}
	var sum [media.FrameSize]int16
	r.pause.encode(&sum)
	for i := range layout {
		for j, code := range layout[i] {
			for frame := range toneFrames {
				for k := range sum {
					at := frame*media.FrameSize + k
					sum[k] = row[i][at] + column[j][at]
				}
				r.keys[code][frame].encode(&sum)
			}
		}
	}
	return r
}

func (t *Tones) encode(sound *[media.FrameSize]int16) {
	codec.Encode(media.PCMU, t.ULaw[:], sound[:])
	codec.Encode(media.PCMA, t.ALaw[:], sound[:])
}

// Coded gives the sound as c codes it.
func (t *Tones) Coded(c media.Codec) *[media.FrameSize]byte {
	if c == media.PCMA {
		return &t.ALaw
	}
	return &t.ULaw
}
