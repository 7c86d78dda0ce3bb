// SPDX-License-Identifier: MIT

package webhook

import (
	"container/list"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/media"
)

const (
	// freshUntold is for files whose server says nothing about it. It lets a
	// burst of calls cost one fetch, and whoever changes a file hears the
	// change on the next call.
	freshUntold = 2 * time.Second
	// freshMost bounds what a server may claim.
	freshMost = 5 * time.Minute
)

// freshFor says how long a file may be used without asking again, by the
// Cache-Control and Age of its reply (RFC 9111 sections 4.2 and 5.2.2): as long
// as max-age says but five minutes at most, not at all after no-store, no-cache
// or private, and two seconds when nothing is said.
func freshFor(header http.Header) time.Duration {
	fresh := freshUntold
	shared := false
	for _, directive := range strings.Split(strings.Join(header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "no-store", "no-cache", "private":
			return 0
		case "max-age", "s-maxage":
			if name == "max-age" && shared {
				continue // s-maxage is for caches like this one and goes before
			}
			shared = name == "s-maxage"
			fresh = seconds(value)
		}
	}
	return max(0, min(fresh-seconds(header.Get("Age")), freshMost))
}

// seconds reads a number of seconds; what is none counts as 0, and as much as
// can be held in what is too much (RFC 9111 section 1.2.2).
func seconds(value string) time.Duration {
	const most = 1 << 31
	n, err := strconv.Atoi(strings.Trim(value, `" `))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, most)) * time.Second
}

// cache keeps prompts up to a number of bytes; those not used for longest go
// first.
type cache struct {
	limit, size int
	entries     map[string]*list.Element
	used        *list.List // of *entry, latest first
}

type entry struct {
	url    string
	prompt *media.Prompt
	until  time.Time
}

// size is about what an entry takes in memory. An empty prompt takes some too.
func (e *entry) size() int {
	return len(e.prompt.ULaw) + len(e.prompt.ALaw) + len(e.url) + 512
}

func newCache(limit int) *cache {
	return &cache{limit: limit, entries: make(map[string]*list.Element), used: list.New()}
}

// get gives a prompt that is fresh, or nil.
func (c *cache) get(url string, now time.Time) *media.Prompt {
	at := c.entries[url]
	if at == nil {
		return nil
	}
	e := at.Value.(*entry)
	if !now.Before(e.until) {
		c.drop(at)
		return nil
	}
	c.used.MoveToFront(at)
	return e.prompt
}

// put keeps a prompt in place of what the URL had before.
func (c *cache) put(url string, prompt *media.Prompt, until time.Time) {
	if old := c.entries[url]; old != nil {
		c.drop(old)
	}
	e := &entry{url: url, prompt: prompt, until: until}
	if e.size() > c.limit {
		return
	}
	c.entries[url] = c.used.PushFront(e)
	c.size += e.size()
	for c.size > c.limit {
		c.drop(c.used.Back())
	}
}

func (c *cache) drop(at *list.Element) {
	e := c.used.Remove(at).(*entry)
	delete(c.entries, e.url)
	c.size -= e.size()
}
