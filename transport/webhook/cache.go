// SPDX-License-Identifier: MIT

package webhook

import (
	"net/http"
	"time"

	"github.com/callwright/callwright/internal/lru"
	"github.com/callwright/callwright/media"
)

// entry is the sound of one URL. It is not changed once it is made.
type entry struct {
	url    string
	prompt *media.Prompt
	// header says how it may be kept, and how to ask whether it changed.
	header http.Header
	// fresh is until when it is played without asking, usable until when it is
	// played while its server fails.
	fresh, usable time.Time
}

// newEntry makes an entry of what was fetched. ok says whether it may be kept;
// sentOn, whether a temporary redirect led to it.
func newEntry(url string, prompt *media.Prompt, header http.Header, sentOn bool, now time.Time) (e *entry, ok bool) {
	k := keepingOf(header, now)
	if sentOn {
		k.fresh = min(k.fresh, freshUntold)
	}
	fresh := now.Add(k.fresh)
	return &entry{url: url, prompt: prompt, header: kept(header), fresh: fresh, usable: fresh.Add(k.stale)}, !k.forbidden
}

// size is about what an entry takes in memory. An empty prompt takes some too.
func (e *entry) size() int {
	size := len(e.prompt.ULaw) + len(e.prompt.ALaw) + len(e.prompt.Name) + len(e.url) + 1024
	for _, values := range e.header {
		for _, value := range values {
			size += len(value)
		}
	}
	return size
}

// cache keeps entries up to a number of bytes.
type cache struct{ entries *lru.Cache[*entry] }

func newCache(limit int) *cache { return &cache{lru.New[*entry](limit)} }

// get gives what is kept of a URL, fresh or not, or nil.
func (c *cache) get(url string) *entry {
	e, _ := c.entries.Get(url)
	return e
}

// put keeps an entry in place of what its URL had before.
func (c *cache) put(e *entry) { c.entries.Put(e.url, e, e.size()) }

// forget drops what is kept of a URL.
func (c *cache) forget(url string) { c.entries.Forget(url) }
