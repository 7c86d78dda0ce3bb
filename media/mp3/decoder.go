// SPDX-License-Identifier: MIT

package mp3

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// ErrNoFrames says that nothing in a file is a frame of MPEG audio of layer III.
var ErrNoFrames = errors.New("there are no frames of MPEG audio of layer III")

// reach is how far back the data of a frame can begin, in bytes.
const reach = 511

// Decoder decodes one file, into one channel.
type Decoder struct {
	frames   frames
	header   header
	frame    []byte // the next to decode
	earlier  []byte // data of the frames before, up to reach
	channels [2]hybrid
	sound    synthesis
	samples  []int16 // decoded, not yet read
	buffer   [1152]int16
}

// NewDecoder reads up to the first frame. The error is ErrNoFrames or one of r.
func NewDecoder(r io.Reader) (*Decoder, error) {
	d := &Decoder{frames: frames{r: bufio.NewReader(r)}}
	var err error
	d.header, d.frame, err = d.frames.next()
	if err == nil && isDirectory(d.header, d.frame) {
		d.header, d.frame, err = d.frames.next()
	}
	if errors.Is(err, io.EOF) {
		err = ErrNoFrames
	}
	return d, err
}

// isDirectory says whether a frame holds no sound, but what encoders tell of the
// file.
func isDirectory(h header, frame []byte) bool {
	side := 4 + h.sideSize()
	if h.checked() {
		side += 2
	}
	if len(frame) < side+4 {
		return false
	}
	word := string(frame[side : side+4])
	return word == "Xing" || word == "Info" || len(frame) >= 40 && strings.HasPrefix(string(frame[36:]), "VBRI")
}

// Rate is how many samples a second there are.
func (d *Decoder) Rate() int { return d.header.rate() }

// ReadSamples decodes up to len(dst) samples and returns how many. io.EOF comes
// alone, when there are no more; other errors are the reader's.
func (d *Decoder) ReadSamples(dst []int16) (n int, err error) {
	for n < len(dst) {
		if len(d.samples) == 0 {
			if err := d.decode(); err != nil {
				if n > 0 && errors.Is(err, io.EOF) {
					err = nil
				}
				return n, err
			}
		}
		copied := copy(dst[n:], d.samples)
		d.samples = d.samples[copied:]
		n += copied
	}
	return n, nil
}

// decode decodes a frame and looks for the next one.
func (d *Decoder) decode() error {
	if d.frame == nil {
		h, frame, err := d.frames.next()
		if err != nil {
			return err
		}
		d.header, d.frame = h, frame
	}
	h, frame := d.header, d.frame
	d.frame = nil
	body := frame[4:]
	if h.checked() {
		body = body[min(2, len(body)):]
	}
	if len(body) < h.sideSize() {
		return nil // too short for a frame: bit rates that low are not in use
	}
	s := readSide(h, &bits{data: body[:h.sideSize()]})
	data := append(d.earlier, body[h.sideSize():]...)
	begin := len(d.earlier) - s.begin
	d.earlier = append([]byte(nil), data[max(0, len(data)-reach):]...)
	if begin < 0 {
		return nil // it was cut off from what it needs
	}
	d.samples = d.buffer[:0]
	b := &bits{data: data[begin:]}
	var scales [2][2]*scales
	for g := range h.granules() {
		d.granule(h, s, g, b, &scales)
	}
	return nil
}

// granule decodes 576 samples.
func (d *Decoder) granule(h header, s *side, g int, b *bits, all *[2][2]*scales) {
	var v [2]values
	var coded [2]channelValues
	var n [2]int
	for c := range h.channels() {
		gr := &s.granules[g][c]
		end := b.at + gr.length
		if h.low() == 1 {
			all[g][c] = readLowScales(b, gr, c == 1 && h.intensity())
		} else if g == 0 {
			all[g][c] = readScales(b, gr, [4]bool{}, nil)
		} else {
			all[g][c] = readScales(b, gr, s.shared[c], all[0][c])
		}
		coded[c] = channelValues{gr, all[g][c], bandsOf(h, gr.block), &v[c]}
		n[c] = readValues(b, gr, all[g][c], coded[c].bands, end, &v[c])
		b.at = end
	}
	strength := float32(1)
	if h.channels() == 2 {
		strength = 0.5
		if h.midSide() || h.intensity() {
			split(h, coded[0], coded[1])
			n[0] = max(n[0], n[1])
			n[1] = n[0]
		}
	}
	var out subbandSamples
	for c := range h.channels() {
		d.channels[c].add(&out, &v[c], n[c], coded[c].granule.block, coded[c].bands, strength)
	}
	for t := range out {
		at := len(d.samples)
		d.samples = d.samples[:at+subbands]
		d.sound.next(&out[t], d.samples[at:])
	}
}
