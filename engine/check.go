// SPDX-License-Identifier: MIT

package engine

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// MaxURL is how many characters a URL may have that an App is asked at, or that
// leads to sound. It stands on the timeline of each call.
const MaxURL = 2048

// mostWhitelisted is how many users and groups an App's whitelist may name.
const mostWhitelisted = 1000

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

// Check sees that each entry means something by itself; whether they fit each
// other is known to NewDirectory. Dialects are the languages that Apps may
// speak. The error is an *EntryError.
func (e Entries) Check(dialects []string) error {
	return firstOf(
		each(e.Accounts, Account.check), each(e.Apps, func(a App) *EntryError { return a.check(dialects) }),
		each(e.Users, User.check), each(e.Groups, Group.check), each(e.Numbers, Number.check), each(e.Trunks, Trunk.check),
		each(e.Tokens, Token.check),
	)
}

// each does something with all entries until one fails.
func each[T any](entries []T, do func(T) *EntryError) *EntryError {
	for i, e := range entries {
		if err := do(e); err != nil {
			err.Index = i
			return err
		}
	}
	return nil
}

// firstOf gives the first failure as an error.
func firstOf(failures ...*EntryError) error {
	for _, e := range failures {
		if e != nil {
			return e
		}
	}
	return nil
}

// named sees that an entry has a name that can be written in a line.
func named(n EntryID, field, why string) *EntryError {
	switch {
	case n.ID == "":
		return n.wrong(field, "has no %s: %s", field, why)
	case strings.ContainsFunc(n.ID, isControl):
		return n.wrong(field, "has a %s with a control character: write letters, digits and signs", field)
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func (a Account) check() *EntryError {
	return named(a.EntryID(), "id", "others name the account by it")
}

func (a App) check(dialects []string) *EntryError {
	name := a.EntryID()
	if e := named(name, "key", "numbers name their app by it"); e != nil {
		return e
	}
	if !slices.Contains(dialects, a.Dialect) {
		return name.wrong("dialect", "has the dialect %q: this version speaks %s", a.Dialect, strings.Join(dialects, ", "))
	}
	for _, f := range []struct{ field, url string }{
		{"incoming_url", a.IncomingURL}, {"outgoing_url", a.OutgoingURL}, {"fallback_url", a.FallbackURL},
		{"events_url", a.EventsURL},
	} {
		if len(f.url) > MaxURL {
			return name.wrong(f.field, "has the %s %.100q…, which has %d characters: write at most %d", f.field, f.url, len(f.url), MaxURL)
		}
		if f.url != "" && !isWeb(f.url) {
			return name.wrong(f.field, "has the %s %q: write a whole URL, like https://example.com/calls", f.field, f.url)
		}
	}
	if n := len(a.Whitelist); n > mostWhitelisted {
		return name.wrong("whitelist", "names %d users and groups in its whitelist: name at most %d, or leave it out for all", n, mostWhitelisted)
	}
	for header, value := range a.Headers {
		if header == "" || strings.ContainsAny(header, " \t\r\n:") || strings.ContainsAny(value, "\r\n\x00") {
			return name.wrong("headers", "has the header %q: write a name without spaces and colons, and a value in one line", header)
		}
	}
	return nil
}

func (u User) check() *EntryError {
	name := u.EntryID()
	if e := named(name, "id", "numbers and groups name users by it, like w0"); e != nil {
		return e
	}
	scheme, rest, _ := strings.Cut(u.Contact, ":")
	party, address, _ := strings.Cut(rest, "@")
	switch {
	case strings.ContainsAny(u.Username, " :@<>\"\\") || strings.ContainsFunc(u.Username, isControl):
		return name.wrong("username", "has the username %q: write it without spaces and the signs : @ < > \" \\", u.Username)
	case strings.ContainsFunc(u.Name, isControl):
		return name.wrong("name", "has a name with a line break or another control character: write it in one line")
	case u.Username != "" && u.Password == "":
		return name.wrong("password", "has a username and no password: anybody could call as this user, so write a password")
	case u.Username == "" && u.Password != "":
		return name.wrong("username", "has a password and no username: phones register with both")
	case u.CallerID != "" && !IsNumber(u.CallerID):
		return name.wrong("caller_id", "has the caller_id %q: write a number, like \"+4921112345\"", u.CallerID)
	case u.Contact != "" && (scheme != "sip" && scheme != "sips" || party == "" || strings.ContainsAny(party, " <>\"") || !isPeer(address)):
		return name.wrong("contact", "has the contact %q: write the SIP URI of a phone, like sip:alice@192.0.2.7:5060;transport=tcp (udp, tcp, tls, ws or wss)", u.Contact)
	}
	return cmp.Or(name.dtmf(u.DTMF), name.srtp(u.SRTP), u.checkVoice())
}

func (id EntryID) dtmf(way string) *EntryError {
	switch way {
	case "", DTMFAuto, DTMFInfo, DTMFInband:
		return nil
	}
	return id.wrong("dtmf", "has the dtmf %q: write auto, info or inband", way)
}

func (id EntryID) srtp(policy string) *EntryError {
	switch policy {
	case "", SRTPOff, SRTPAllow, SRTPRequire:
		return nil
	}
	return id.wrong("srtp", "has the srtp %q: write off, allow or require", policy)
}

func (g Group) check() *EntryError {
	return named(g.EntryID(), "id", "numbers name groups by it, like g0")
}

func (n Number) check() *EntryError {
	if plain := strings.TrimSuffix(n.Number, "*"); plain != "" && !IsNumber(plain) || n.Number == "" {
		e := n.EntryID().wrong("number", "is no number: write one like \"+4921112345\", or the first digits and a star")
		if n.Number == "" {
			e.Problem = "has no number: write one like \"+4921112345\", or the first digits and a star"
		}
		return e
	}
	return n.checkRules()
}

func (t Trunk) check() *EntryError {
	name := t.EntryID()
	if e := named(name, "name", "logs and records call it by one"); e != nil {
		return e
	}
	switch {
	case t.Address == "" && len(t.AllowFrom) == 0:
		return name.wrong("address", "has neither an address, so that calls can leave by it, nor allow_from, so that they can enter")
	case t.Address != "" && !isPeer(t.Address):
		return name.wrong("address", "has the address %q: write a host and its port, like sip.example.com:5060;transport=tcp (udp, tcp, tls, ws or wss)", t.Address)
	case slices.ContainsFunc(t.AllowFrom, func(p netip.Prefix) bool { return !p.IsValid() }):
		return name.wrong("allow_from", "has an empty network in allow_from: write one like 192.0.2.0/24")
	case strings.ContainsAny(t.From, " <>@\"") || strings.ContainsFunc(t.From, isControl):
		return name.wrong("from", "shows the number %q: write one like \"+4921112345\"", t.From)
	}
	return cmp.Or(name.dtmf(t.DTMF), name.srtp(t.SRTP), t.service())
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
		host, _ = strings.CutSuffix(inner, "]")
	} else if strings.Contains(host, ":") {
		return false
	}
	return host != "" && !strings.ContainsAny(host, "@/<>[]\" \t\r\n") && !strings.ContainsAny(parameters, "<>\" \t\r\n")
}
