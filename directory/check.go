// SPDX-License-Identifier: MIT

package directory

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// EntryError says what is wrong with one of the Entries.
type EntryError struct {
	EntryID
	// Index is its place among the entries of its kind.
	Index int
	// Field is the field that is wrong, as the configuration names it.
	Field string
	// Conflict says that the entry means something by itself, but not beside
	// the others that are there.
	Conflict bool
	// Problem goes on after the name of the entry, and says what to change.
	Problem string
}

// Error names the entry and says what is wrong with it.
func (e *EntryError) Error() string {
	if e.ID == "" {
		return fmt.Sprintf("%ss[%d] %s", e.Kind, e.Index, e.Problem)
	}
	return e.EntryID.String() + " " + e.Problem
}

func (id EntryID) wrong(field, format string, args ...any) *EntryError {
	return &EntryError{EntryID: id, Field: field, Problem: fmt.Sprintf(format, args...)}
}

func (id EntryID) taken(field, format string, args ...any) *EntryError {
	e := id.wrong(field, format, args...)
	e.Conflict = true
	return e
}

// named sees that an entry has a name that can be written in a line.
func (id EntryID) named(field, why string) *EntryError {
	switch {
	case id.ID == "":
		return id.wrong(field, "has no %s: %s", field, why)
	case strings.ContainsFunc(id.ID, isControl):
		return id.wrong(field, "has a %s with a control character: write letters, digits and signs", field)
	}
	return nil
}

// lasts sees that a time is one in which a phone can ring.
func (id EntryID) lasts(field, text string) *EntryError {
	d, err := time.ParseDuration(text)
	switch {
	case text == "":
		return nil
	case err != nil:
		return id.wrong(field, "has the %s %q: write a time with its unit, like 20s", field, text)
	case d < time.Second:
		return id.wrong(field, "has the %s %v: write 1s or more, or leave it out", field, d)
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// IsURL says whether a text is a whole URL that an app can be asked at, or a file be
// fetched from: http or https, a host, a port that can be connected to if there is
// one, and letters that are UTF-8.
func IsURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsRune(text, utf8.RuneError) {
		return false
	}
	port, err := strconv.ParseUint(cmp.Or(u.Port(), "80"), 10, 16)
	return err == nil && port > 0
}

// isPeer says whether an address like "host:port;transport=tcp" can be one.
func isPeer(address string) bool {
	host, parameters, _ := strings.Cut(address, ";")
	for p := range strings.SplitSeq(strings.ToLower(parameters), ";") {
		if transport, ok := strings.CutPrefix(p, "transport="); ok && !slices.Contains([]string{"udp", "tcp", "tls", "ws", "wss"}, transport) {
			return false
		}
	}
	if h, port, err := net.SplitHostPort(host); err == nil {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
		host = h
	} else if inner, ok := strings.CutPrefix(host, "["); ok {
		if host, ok = strings.CutSuffix(inner, "]"); !ok {
			return false
		}
	} else if strings.Contains(host, ":") {
		return false
	}
	return host != "" && !strings.ContainsAny(host, "@/<>[]\" \t\r\n") && !strings.ContainsAny(parameters, "<>\" \t\r\n")
}

func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }

func isDigit(r rune) bool { return '0' <= r && r <= '9' }
