// SPDX-License-Identifier: MIT

package mp3

// bits reads bits, the highest of a byte first. Behind the end there are zeros.
type bits struct {
	data []byte
	at   int // in bits
}

// bit reads one.
func (b *bits) bit() int {
	i := b.at >> 3
	if i >= len(b.data) {
		b.at++
		return 0
	}
	v := b.data[i] >> (7 - b.at&7) & 1
	b.at++
	return int(v)
}

// read reads a number of n bits.
func (b *bits) read(n uint) int {
	v := 0
	for range n {
		v = v<<1 | b.bit()
	}
	return v
}

// tree is a Huffman code. Node n leads to tree[n][bit]; a negative number is the
// end, and the complement of what is found.
type tree [][2]int16

// newTree reads a tree in the notation of codes.go.
func newTree(notation string) tree {
	var t tree
	var node func() int16
	node = func() int16 {
		if notation[0] != '.' {
			found := digit(notation[0])<<4 | digit(notation[1])
			notation = notation[2:]
			return ^found
		}
		notation = notation[1:]
		n := len(t)
		t = append(t, [2]int16{})
		zero := node()
		one := node()
		t[n] = [2]int16{zero, one}
		return int16(n)
	}
	node()
	return t
}

// digit reads a hexadecimal digit.
func digit(c byte) int16 {
	if c >= 'a' {
		return int16(c-'a') + 10
	}
	return int16(c - '0')
}

// find reads the bits of one code and gives what is found.
func (t tree) find(b *bits) int {
	n := int16(0)
	for {
		n = t[n][b.bit()]
		if n < 0 {
			return int(^n)
		}
	}
}
