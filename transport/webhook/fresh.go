// SPDX-License-Identifier: MIT

package webhook

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/engine"
)

const (
	// freshUntold is for files whose server says nothing about it. It lets a
	// burst of calls cost one fetch, and whoever changes a file hears the
	// change on the next call.
	freshUntold = 2 * time.Second
	// freshGuessed bounds what is guessed from how old a file is.
	freshGuessed = time.Minute
	// freshMost bounds what a server may claim: a change is heard within it.
	freshMost = time.Hour
	// staleMost is how long a file that is not fresh any more is played while
	// its server fails.
	staleMost = 24 * time.Hour
)

// keptHeaders are those of a reply that say how its file may be kept, and how
// to ask whether it is still the same.
var keptHeaders = []string{"Cache-Control", "Expires", "Date", "Age", "Vary", "ETag", "Last-Modified"}

// keeping says how a file may be kept, counted from when it was there.
type keeping struct {
	// forbidden files are for the calls that wait for them, and not kept.
	forbidden bool
	// fresh is how long it is played without asking its server.
	fresh time.Duration
	// stale is how long after that it is played when the server fails.
	stale time.Duration
}

// keepingOf reads what a reply says (RFC 9111 sections 3, 4.2 and 5). Fresh is
// what s-maxage, max-age or Expires says, in this order, less its Age; else a
// tenth of the time since the file was changed, up to a minute; else two
// seconds. Never is it more than an hour, nor, behind a temporary redirect, than
// those two seconds (newEntry). A caller that hears the old greeting
// is better off than one that hears none: as long as a file must not be asked
// for each time (no-cache, must-revalidate), a failing server makes it last for
// a day, or for what stale-if-error says (RFC 5861 section 4).
func keepingOf(header http.Header, now time.Time) keeping {
	directives := cacheControl(header)
	has := func(name string) bool { _, ok := directives[name]; return ok }
	if has("no-store") || has("private") || variesByAll(header) {
		return keeping{forbidden: true}
	}
	if has("no-cache") {
		return keeping{}
	}
	k := keeping{fresh: max(0, min(lifetime(header, directives, now)-seconds(header.Get("Age")), freshMost)), stale: staleMost}
	if has("must-revalidate") || has("proxy-revalidate") || has("s-maxage") {
		k.stale = 0
	} else if value, ok := directives["stale-if-error"]; ok {
		k.stale = min(seconds(value), staleMost)
	}
	return k
}

// variesByAll says whether a reply is for one request only (RFC 9110 section
// 12.5.5). Other values of Vary name headers that are the same in all of ours.
func variesByAll(header http.Header) bool {
	for name := range strings.SplitSeq(strings.Join(header.Values("Vary"), ","), ",") {
		if strings.TrimSpace(name) == "*" {
			return true
		}
	}
	return false
}

// wasSentOn says whether a temporary redirect led to a file. Such a redirect is
// not to be remembered unless it says so (RFC 9110 section 15.4.3): next time it
// may lead to another file, so how long this one is fresh means little.
func wasSentOn(attempts []engine.Attempt) bool {
	return slices.ContainsFunc(attempts, func(a engine.Attempt) bool {
		return a.Status == http.StatusFound || a.Status == http.StatusSeeOther || a.Status == http.StatusTemporaryRedirect
	})
}

// lifetime is how long a reply is fresh from when its server made it.
func lifetime(header http.Header, directives map[string]string, now time.Time) time.Duration {
	for _, name := range []string{"s-maxage", "max-age"} {
		if value, ok := directives[name]; ok {
			return seconds(value)
		}
	}
	made, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		made = now
	}
	if value := header.Get("Expires"); value != "" {
		until, err := http.ParseTime(value)
		if err != nil {
			return 0 // it has expired (RFC 9111 section 5.3)
		}
		return until.Sub(made)
	}
	if changed, err := http.ParseTime(header.Get("Last-Modified")); err == nil {
		return min(made.Sub(changed)/10, freshGuessed)
	}
	return freshUntold
}

// cacheControl gives the directives of Cache-Control, the first of each name.
func cacheControl(header http.Header) map[string]string {
	directives := map[string]string{}
	for directive := range strings.SplitSeq(strings.Join(header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		if _, ok := directives[name]; !ok {
			directives[name] = value
		}
	}
	return directives
}

// seconds reads a number of seconds; what is none counts as 0, and as much as
// can be held in what is too much (RFC 9111 section 1.2.2).
func seconds(value string) time.Duration {
	const most = 1 << 31
	n, err := strconv.Atoi(strings.Trim(value, `" `))
	switch {
	case err != nil && len(value) > 9 && strings.Trim(value, "0123456789") == "":
		return most * time.Second
	case err != nil || n < 0:
		return 0
	}
	return time.Duration(min(n, most)) * time.Second
}

// kept gives the headers of a reply that are kept with its file.
func kept(header http.Header) http.Header {
	few := http.Header{}
	for _, name := range keptHeaders {
		if values := header.Values(name); len(values) > 0 {
			few[http.CanonicalHeaderKey(name)] = values
		}
	}
	return few
}

// renewed gives the headers of a file of which its server said that it is still
// the same (RFC 9111 section 4.3.4).
func renewed(old, reply http.Header) http.Header {
	now := old.Clone()
	now.Del("Date")
	now.Del("Age")
	for name, values := range kept(reply) {
		now[name] = values
	}
	return now
}

// ifChanged asks for a file only if it is another one than that of the headers.
func ifChanged(header, have http.Header) {
	if tag := have.Get("ETag"); tag != "" {
		header.Set("If-None-Match", tag)
	}
	if changed := have.Get("Last-Modified"); changed != "" {
		header.Set("If-Modified-Since", changed)
	}
}
