// SPDX-License-Identifier: MIT

package lru

import "container/list"

// Cache keeps values by their keys. It is not safe for use by several
// goroutines at once.
type Cache[V any] struct {
	limit, size int
	entries     map[string]*list.Element
	used        *list.List // of *entry[V], latest first
}

type entry[V any] struct {
	key   string
	value V
	size  int
}

// New makes a Cache of values that are limit bytes together at most.
func New[V any](limit int) *Cache[V] {
	return &Cache[V]{limit: limit, entries: make(map[string]*list.Element), used: list.New()}
}

// Get gives the value of a key. ok says whether there is one.
func (c *Cache[V]) Get(key string) (value V, ok bool) {
	at := c.entries[key]
	if at == nil {
		return value, false
	}
	c.used.MoveToFront(at)
	return at.Value.(*entry[V]).value, true
}

// Put keeps a value of so many bytes in place of what the key had before. One
// that is larger than the whole Cache is not kept.
func (c *Cache[V]) Put(key string, value V, size int) {
	c.Forget(key)
	if size > c.limit {
		return
	}
	c.entries[key] = c.used.PushFront(&entry[V]{key, value, size})
	c.size += size
	for c.size > c.limit {
		c.Forget(c.used.Back().Value.(*entry[V]).key)
	}
}

// Forget drops the value of a key.
func (c *Cache[V]) Forget(key string) {
	at := c.entries[key]
	if at == nil {
		return
	}
	c.size -= c.used.Remove(at).(*entry[V]).size
	delete(c.entries, key)
}
