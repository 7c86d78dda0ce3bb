// SPDX-License-Identifier: MIT

package mpsc

import "sync/atomic"

// Node is one place in a queue. It is in one queue at a time.
type Node[T any] struct {
	Value T
	next  *Node[T]
}

// Queue is ready to use as its zero value.
type Queue[T any] struct {
	newest atomic.Pointer[Node[T]]
}

// Push puts a node into the queue. Any goroutine may call it.
func (q *Queue[T]) Push(n *Node[T]) {
	for {
		n.next = q.newest.Load()
		if q.newest.CompareAndSwap(n.next, n) {
			return
		}
	}
}

// Take empties the queue and gives its nodes, the oldest first; walk them with
// Next. Only the consumer may call it.
func (q *Queue[T]) Take() *Node[T] {
	if q.newest.Load() == nil {
		return nil
	}
	var oldest *Node[T]
	for n := q.newest.Swap(nil); n != nil; {
		next := n.next
		n.next = oldest
		oldest, n = n, next
	}
	return oldest
}

// Next takes n out of its list and gives the node that was pushed after it.
func (n *Node[T]) Next() *Node[T] {
	next := n.next
	n.next = nil
	return next
}
