// SPDX-License-Identifier: MIT

package webhook

import (
	"container/list"
	"net/http"
	"time"

	"github.com/callwright/callwright/media"
)

// cache keeps prompts up to a number of bytes; those not used for longest go
// first.
type cache struct {
	limit, size int
	entries     map[string]*list.Element
	used        *list.List // of *entry, latest first
}

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

func newCache(limit int) *cache {
	return &cache{limit: limit, entries: make(map[string]*list.Element), used: list.New()}
}

// get gives what is kept of a URL, fresh or not, or nil.
func (c *cache) get(url string) *entry {
	at := c.entries[url]
	if at == nil {
		return nil
	}
	c.used.MoveToFront(at)
	return at.Value.(*entry)
}

// put keeps an entry in place of what its URL had before.
func (c *cache) put(e *entry) {
	c.forget(e.url)
	if e.size() > c.limit {
		return
	}
	c.entries[e.url] = c.used.PushFront(e)
	c.size += e.size()
	for c.size > c.limit {
		c.forget(c.used.Back().Value.(*entry).url)
	}
}

// forget drops what is kept of a URL.
func (c *cache) forget(url string) {
	at := c.entries[url]
	if at == nil {
		return
	}
	c.size -= c.used.Remove(at).(*entry).size()
	delete(c.entries, url)
}
