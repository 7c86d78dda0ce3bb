// SPDX-License-Identifier: MIT

package send

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/callwright/callwright/cmd/callwright/internal/excerpt"
	"github.com/callwright/callwright/engine"
)

// maxLines is how many lines of a reply are shown.
const maxLines = 60

// printRequest shows a request as far as the app looks at it; a form with one
// field on each line.
func printRequest(out io.Writer, r engine.Request) {
	fmt.Fprintf(out, "%s %s\n", r.Method, shown(r.URL))
	printHeader(out, r.Header)
	for field := range strings.SplitSeq(string(r.Body), "&") {
		if plain, err := url.QueryUnescape(field); err == nil {
			field = plain
		}
		fmt.Fprintf(out, "  %s\n", excerpt.Plain(field))
	}
	fmt.Fprintln(out)
}

// printHeader shows headers in a settled order, only some if they are named.
func printHeader(out io.Writer, h http.Header, names ...string) {
	if names == nil {
		names = slices.Sorted(maps.Keys(h))
	}
	for _, name := range names {
		if value := h.Get(name); value != "" {
			fmt.Fprintf(out, "  %s: %s\n", name, excerpt.Plain(value))
		}
	}
	fmt.Fprintln(out)
}

// printReply shows what came back, redirects and failures included.
func printReply(out io.Writer, r engine.Reply) {
	for i, a := range r.Attempts {
		if a.Status == 0 {
			continue
		}
		fmt.Fprintf(out, "%d %s from %s in %d ms\n", a.Status, http.StatusText(a.Status), excerpt.Plain(a.URL), a.Took.Milliseconds())
		if i+1 == len(r.Attempts) {
			printHeader(out, r.Header, "Content-Type", "Content-Encoding", "Server")
			printBody(out, string(a.Body))
		}
	}
	if r.Err != nil {
		fmt.Fprintln(out, excerpt.Plain(r.Err.Error()))
	}
}

func printBody(out io.Writer, body string) {
	if strings.TrimSpace(body) == "" {
		return
	}
	n := 0
	for line := range strings.Lines(strings.TrimRight(body, "\r\n ")) {
		if n++; n > maxLines {
			fmt.Fprintln(out, "  …")
			break
		}
		fmt.Fprintf(out, "  %s\n", excerpt.Plain(strings.TrimRight(line, "\r\n")))
	}
	fmt.Fprintln(out)
}

// quote writes a word for a shell.
func quote(word string) string {
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-_./:@%=,") == "" && word != "" {
		return word
	}
	return "'" + strings.ReplaceAll(excerpt.Plain(word), "'", `'\''`) + "'"
}

// shown is a URL without its password.
func shown(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return excerpt.Plain(raw)
	}
	return u.Redacted()
}
