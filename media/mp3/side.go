// SPDX-License-Identifier: MIT

package mp3

// short is the block type of three short blocks in place of a long one. The
// others are 0, and 1 and 3 between long and short ones.
const short = 2

// granule is how 576 samples of one channel are coded: what the side
// information says (ISO/IEC 11172-3 section 2.4.1.7).
type granule struct {
	length    int // of scale factors and values, in bits
	pairs     int // values that are coded in pairs
	gain      int
	scaleCode int
	block     blockShape
	tables    [3]int // of the pairs in three regions
	regions   [2]int // how many bands are in the first two
	emphasis  bool   // of high frequencies, in the scale factors
	coarse    bool   // the steps of scale factors are twice as large
	quads     int    // the table of the values coded in fours
}

// blockShape is how the samples of a granule are cut into blocks.
type blockShape struct {
	switched bool
	kind     int
	mixed    bool // the two lowest subbands are long in any case
	gains    [3]int
}

// side is the side information of a frame.
type side struct {
	begin    int        // how far before the frame its data begins, in bytes
	shared   [2][4]bool // groups of scale factors that are those of the first granule
	granules [2][2]granule
}

// readSide reads the side information.
func readSide(h header, b *bits) *side {
	s := &side{}
	channels := h.channels()
	if h.low() == 0 {
		s.begin = b.read(9)
		b.read([3]uint{0, 5, 3}[channels]) // private
		for c := range channels {
			for i := range s.shared[c] {
				s.shared[c][i] = b.bit() == 1
			}
		}
	} else {
		s.begin = b.read(8)
		b.read([3]uint{0, 1, 2}[channels])
	}
	for g := range h.granules() {
		for c := range channels {
			s.granules[g][c] = readGranule(h, b)
		}
	}
	return s
}

func readGranule(h header, b *bits) (g granule) {
	g.length, g.pairs, g.gain = b.read(12), 2*b.read(9), b.read(8)
	g.scaleCode = b.read([2]uint{4, 9}[h.low()])
	g.block.switched = b.bit() == 1
	if g.block.switched {
		g.block.kind, g.block.mixed = b.read(2), b.bit() == 1
		g.tables[0], g.tables[1] = b.read(5), b.read(5)
		for w := range g.block.gains {
			g.block.gains[w] = b.read(3)
		}
		g.regions = [2]int{8, len(values{})} // the second goes to the end
		if g.block.kind == short && !g.block.mixed {
			g.regions[0] = 9
		}
	} else {
		for i := range g.tables {
			g.tables[i] = b.read(5)
		}
		g.regions = [2]int{b.read(4) + 1, b.read(3) + 1}
	}
	if h.low() == 0 {
		g.emphasis = b.bit() == 1
	}
	g.coarse = b.bit() == 1
	g.quads = b.bit()
	return g
}
