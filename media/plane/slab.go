// SPDX-License-Identifier: MIT

package plane

// ref is a place in a slab or a table. Zero is none.
type ref int32

// chunkBits says how many streams, 64, get their memory at once.
const chunkBits = 6

// slab holds streams. They never move, and as they hold no pointers the garbage
// collector never looks at them.
type slab struct {
	chunks [][]stream
	free   []ref
	size   ref
}

func (s *slab) at(i ref) *stream { return &s.chunks[i>>chunkBits][i&(1<<chunkBits-1)] }

// put copies a stream in and says where it is.
func (s *slab) put(st stream) ref {
	var i ref
	if n := len(s.free); n > 0 {
		i, s.free = s.free[n-1], s.free[:n-1]
	} else {
		s.size++ // so that place 0 stays empty
		i = s.size
		if int(i>>chunkBits) >= len(s.chunks) {
			s.chunks = append(s.chunks, make([]stream, 1<<chunkBits))
		}
	}
	*s.at(i) = st
	return i
}

func (s *slab) remove(i ref) {
	*s.at(i) = stream{}
	s.free = append(s.free, i)
}

// table holds what has pointers, so that a stream can name it by a number.
type table[T any] struct {
	items []T
	free  []ref
}

func (t *table[T]) at(i ref) T { return t.items[i-1] }

func (t *table[T]) put(item T) ref {
	if n := len(t.free); n > 0 {
		i := t.free[n-1]
		t.free = t.free[:n-1]
		t.items[i-1] = item
		return i
	}
	t.items = append(t.items, item)
	return ref(len(t.items))
}

// take removes an item and gives it; of no item it gives the zero value.
func (t *table[T]) take(i ref) (item T) {
	if i == 0 {
		return item
	}
	var none T
	item, t.items[i-1] = t.items[i-1], none
	t.free = append(t.free, i)
	return item
}
