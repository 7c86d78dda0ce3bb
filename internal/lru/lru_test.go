// SPDX-License-Identifier: MIT

package lru_test

import (
	"testing"

	"github.com/callwright/callwright/internal/lru"
)

func TestCache(t *testing.T) {
	t.Parallel()
	c := lru.New[string](10)
	has := func(key, want string) {
		t.Helper()
		if got, ok := c.Get(key); got != want || ok != (want != "") {
			t.Errorf("%s is %q (%v), want %q", key, got, ok, want)
		}
	}
	c.Put("a", "A", 4)
	c.Put("b", "B", 4)
	has("a", "A") // and so b was not used for longest
	c.Put("c", "C", 4)
	has("b", "")
	has("a", "A")
	has("c", "C")
	c.Put("a", "AA", 6)
	has("a", "AA")
	has("c", "C")
	c.Put("d", "D", 11)
	has("d", "")
	c.Put("a", "AAA", 11) // what it was before is not what it is now
	has("a", "")
	has("c", "C")
	c.Forget("c")
	c.Forget("c")
	has("c", "")
	c.Put("e", "E", 10)
	has("e", "E")
}
