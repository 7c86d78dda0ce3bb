// SPDX-License-Identifier: MIT

package mp3

// The bands of scale factors, by MPEG-1, 2 or 2.5 and sampling frequency: where
// each begins, and the end (ISO/IEC 11172-3 table B.8, ISO/IEC 13818-3 table
// B.2). Those of MPEG-2.5 are in no standard: they are what all encoders use.
// Those of short blocks are for one of the three.
var (
	longBands = [3][3][23]int{
		{
			{0, 4, 8, 12, 16, 20, 24, 30, 36, 44, 52, 62, 74, 90, 110, 134, 162, 196, 238, 288, 342, 418, 576},
			{0, 4, 8, 12, 16, 20, 24, 30, 36, 42, 50, 60, 72, 88, 106, 128, 156, 190, 230, 276, 330, 384, 576},
			{0, 4, 8, 12, 16, 20, 24, 30, 36, 44, 54, 66, 82, 102, 126, 156, 194, 240, 296, 364, 448, 550, 576},
		},
		{
			{0, 6, 12, 18, 24, 30, 36, 44, 54, 66, 80, 96, 116, 140, 168, 200, 238, 284, 336, 396, 464, 522, 576},
			{0, 6, 12, 18, 24, 30, 36, 44, 54, 66, 80, 96, 114, 136, 162, 194, 232, 278, 332, 394, 464, 540, 576},
			{0, 6, 12, 18, 24, 30, 36, 44, 54, 66, 80, 96, 116, 140, 168, 200, 238, 284, 336, 396, 464, 522, 576},
		},
		{
			{0, 6, 12, 18, 24, 30, 36, 44, 54, 66, 80, 96, 116, 140, 168, 200, 238, 284, 336, 396, 464, 522, 576},
			{0, 6, 12, 18, 24, 30, 36, 44, 54, 66, 80, 96, 116, 140, 168, 200, 238, 284, 336, 396, 464, 522, 576},
			{0, 12, 24, 36, 48, 60, 72, 88, 108, 132, 160, 192, 232, 280, 336, 400, 476, 566, 568, 570, 572, 574, 576},
		},
	}
	shortBands = [3][3][14]int{
		{
			{0, 4, 8, 12, 16, 22, 30, 40, 52, 66, 84, 106, 136, 192},
			{0, 4, 8, 12, 16, 22, 28, 38, 50, 64, 80, 100, 126, 192},
			{0, 4, 8, 12, 16, 22, 30, 42, 58, 78, 104, 138, 180, 192},
		},
		{
			{0, 4, 8, 12, 18, 24, 32, 42, 56, 74, 100, 132, 174, 192},
			{0, 4, 8, 12, 18, 26, 36, 48, 62, 80, 104, 136, 180, 192},
			{0, 4, 8, 12, 18, 26, 36, 48, 62, 80, 104, 134, 174, 192},
		},
		{
			{0, 4, 8, 12, 18, 26, 36, 48, 62, 80, 104, 134, 174, 192},
			{0, 4, 8, 12, 18, 26, 36, 48, 62, 80, 104, 134, 174, 192},
			{0, 8, 16, 24, 36, 52, 72, 96, 124, 160, 162, 164, 166, 192},
		},
	}
)

// mixedEnd is up to where the blocks of a mixed granule are long: two subbands.
const mixedEnd = 36

// band is a range of values that share a scale factor.
type band struct {
	from, to int
	window   int // of short blocks 0 to 2, else -1
}

// bandsOf lists the bands of a granule in the order of its values, in which the
// three short blocks of a band follow each other.
func bandsOf(h header, shape blockShape) []band {
	version := h.low()
	if h.is25() {
		version = 2
	}
	bands := make([]band, 0, 39)
	end := len(values{})
	if shape.kind == short {
		end = 0
		if shape.mixed {
			end = mixedEnd
		}
	}
	long := &longBands[version][h.frequency()]
	for i := 0; i+1 < len(long) && long[i+1] <= end; i++ {
		bands = append(bands, band{long[i], long[i+1], -1})
	}
	if shape.kind != short {
		return bands
	}
	starts := &shortBands[version][h.frequency()]
	for i := 0; i+1 < len(starts); i++ {
		from := max(starts[i], end/3)
		for w := 0; w < 3 && from < starts[i+1]; w++ {
			width := starts[i+1] - from
			bands = append(bands, band{3*from + w*width, 3*from + (w+1)*width, w})
		}
	}
	return bands
}

// scales are the scale factors of a granule by band. Bands behind the last have
// none, which is 0.
type scales struct {
	factor [39]int
	// most marks those with the greatest value that can be written; it stands
	// for something else where channels are coded by intensity.
	most [39]bool
}

// scaleLengths are how many bits the scale factors of low and high bands have in
// MPEG-1, by the code of the granule (ISO/IEC 11172-3 section 2.4.2.7).
var scaleLengths = [16][2]uint{
	{0, 0}, {0, 1}, {0, 2}, {0, 3}, {3, 0}, {1, 1}, {1, 2}, {1, 3},
	{2, 1}, {2, 2}, {2, 3}, {3, 1}, {3, 2}, {3, 3}, {4, 2}, {4, 3},
}

// readScales reads the scale factors of MPEG-1. before are those of the first
// granule, of which the second can share some.
func readScales(b *bits, g *granule, shared [4]bool, before *scales) *scales {
	s := &scales{}
	lengths := scaleLengths[g.scaleCode]
	if g.block.kind == short {
		low, high := 18, 18
		if g.block.mixed {
			low = 17 // 8 long ones and 3 times 3
		}
		for i := range low + high {
			n := lengths[0]
			if i >= low {
				n = lengths[1]
			}
			s.factor[i] = b.read(n)
			s.most[i] = s.factor[i] == 7
		}
		return s
	}
	groups := [5]int{0, 6, 11, 16, 21}
	for i := range shared {
		for k := groups[i]; k < groups[i+1]; k++ {
			if shared[i] {
				s.factor[k] = before.factor[k]
			} else {
				s.factor[k] = b.read(lengths[i/2])
			}
			s.most[k] = s.factor[k] == 7
		}
	}
	return s
}

// groupSizes are how many scale factors of the lower sampling frequencies have
// the same length, by the kind of code and of blocks: long, short, mixed
// (ISO/IEC 13818-3 section 2.4.3.2).
var groupSizes = [6][3][4]int{
	{{6, 5, 5, 5}, {9, 9, 9, 9}, {6, 9, 9, 9}},
	{{6, 5, 7, 3}, {9, 9, 12, 6}, {6, 9, 12, 6}},
	{{11, 10, 0, 0}, {18, 18, 0, 0}, {15, 18, 0, 0}},
	{{7, 7, 7, 0}, {12, 12, 12, 0}, {6, 15, 12, 0}},
	{{6, 6, 6, 3}, {12, 9, 9, 6}, {6, 12, 9, 6}},
	{{8, 8, 5, 0}, {15, 12, 9, 0}, {6, 18, 9, 0}},
}

// groupLengths takes the code of a granule apart: the kind of code, and the
// lengths of four groups.
func groupLengths(code int, intensity bool) (kind int, lengths [4]int) {
	switch {
	case !intensity && code < 400:
		return 0, [4]int{(code >> 4) / 5, (code >> 4) % 5, code % 16 >> 2, code % 4}
	case !intensity && code < 500:
		code -= 400
		return 1, [4]int{(code >> 2) / 5, (code >> 2) % 5, code % 4}
	case !intensity:
		code -= 500
		return 2, [4]int{code / 3, code % 3}
	}
	switch code >>= 1; {
	case code < 180:
		return 3, [4]int{code / 36, code % 36 / 6, code % 6}
	case code < 244:
		code -= 180
		return 4, [4]int{code >> 4, code % 16 >> 2, code % 4}
	}
	code -= 244
	return 5, [4]int{code / 3, code % 3}
}

// readLowScales reads the scale factors of the lower sampling frequencies. The
// second of two channels that are coded by intensity has other codes.
func readLowScales(b *bits, g *granule, intensity bool) *scales {
	s := &scales{}
	kind, lengths := groupLengths(g.scaleCode, intensity)
	g.emphasis = kind == 2
	shape := 0
	if g.block.kind == short {
		shape = 1
		if g.block.mixed {
			shape = 2
		}
	}
	i := 0
	for group, n := range groupSizes[kind][shape] {
		length := uint(lengths[group])
		for range n {
			s.factor[i] = b.read(length)
			s.most[i] = s.factor[i] == 1<<length-1
			i++
		}
	}
	return s
}
