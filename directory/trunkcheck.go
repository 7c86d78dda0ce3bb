// SPDX-License-Identifier: MIT

package directory

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"
)

func (t Trunk) check() *EntryError {
	name := t.EntryID()
	if e := name.named("name", "logs and records call it by one"); e != nil {
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

// What may be in the headers of a trunk.
const (
	mostHeaders   = 20
	longestHeader = 1024 // bytes of a value
)

// service sees that what a trunk is to do for calls can be done.
func (t Trunk) service() *EntryError {
	name := t.EntryID()
	every, err := time.ParseDuration(t.Options)
	switch {
	case t.Register && (t.Address == "" || t.Username == ""):
		return name.wrong("register", "is to register, for which it needs an address and a username: write both, or leave register out")
	case t.Options != "" && err != nil:
		return name.wrong("options", "has the options %q: write a time with its unit, like 30s", t.Options)
	case t.Options != "" && every != 0 && every < time.Second:
		return name.wrong("options", "is to be asked by OPTIONS every %v: write 1s or more, or 0s for never", every)
	case every > 0 && t.Address == "":
		return name.wrong("options", "is to be asked by OPTIONS, for which it needs an address: write one, or leave options out")
	case strings.ContainsFunc(t.Username, isControl):
		return name.wrong("username", "has a username with a line break or another control character: write it in one line")
	case t.Priority < 0 || t.Weight < 0:
		return name.wrong(negative("priority", t.Priority, "weight"), "has a priority or a weight below 0: write 0 or more")
	case t.MaxCalls < 0 || t.CallsPerSecond < 0:
		return name.wrong(negative("max_calls", t.MaxCalls, "calls_per_second"), "has a limit below 0: write how many, or 0 for no limit")
	}
	switch t.Identity {
	case "", IdentityFrom:
	case IdentityAsserted, IdentityPreferred:
		if t.Username == "" {
			return name.wrong("identity", "has the identity %q, which shows the username in From: write a username, or the identity from", t.Identity)
		}
	default:
		return name.wrong("identity", "has the identity %q: write from, asserted or preferred", t.Identity)
	}
	if s := t.TLS; t.Address != "" && (s.Cert != "" || s.CA != "" || s.ServerName != "") && plain(t.Address) {
		return name.wrong("tls", "has tls files or a server_name, and the address %q, which is not secured: write it with ;transport=tls", t.Address)
	}
	return cmp.Or(t.TLS.check(name), t.checkHeaders())
}

// plain says whether an address is never reached by TLS. Of a host name without a
// port the DNS may say that it is (RFC 3263 section 4.1).
func plain(address string) bool {
	host, parameters, _ := strings.Cut(strings.ToLower(address), ";")
	for p := range strings.SplitSeq(parameters, ";") {
		if transport, ok := strings.CutPrefix(p, "transport="); ok {
			return transport != "tls" && transport != "wss"
		}
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || strings.Contains(host[strings.LastIndexByte(host, ']')+1:], ":")
}

// negative names the first field if its value is below 0, else the other.
func negative(first string, value int, other string) string {
	if value < 0 {
		return first
	}
	return other
}

func (s TrunkTLS) check(name EntryID) *EntryError {
	switch {
	case s.Cert != "" && s.Key == "", s.Cert == "" && s.Key != "":
		return name.wrong("tls", "has only one of tls.cert and tls.key: write both files, or neither")
	case strings.ContainsAny(s.ServerName+s.ClientName, " \t\r\n/@"):
		return name.wrong("tls", "has a tls.server_name or tls.client_name that is no host name: write one like sip.example.com")
	}
	return nil
}

// taken says whether a header is one that calls have anyway, or that would change
// where they go, whose they are or how they are read; and the setting that it
// follows from, if it does.
func taken(header string) (setting string, ok bool) {
	switch strings.ToLower(header) {
	case "privacy", "p-asserted-identity", "p-preferred-identity":
		return "trunks[].identity", true
	case "via", "v", "route", "record-route", "contact", "m", "from", "f", "to", "t", "call-id", "i", "cseq", "max-forwards",
		"content-length", "l", "content-type", "c", "content-encoding", "e", "content-disposition",
		"authorization", "proxy-authorization", "require", "proxy-require", "supported", "k", "allow", "user-agent", "expires",
		"session-expires", "x", "min-se", "replaces", "rack", "rseq", "diversion", "event", "o", "refer-to", "r", "referred-by", "b":
		return "", true
	}
	return "", false
}

func (t Trunk) checkHeaders() *EntryError {
	name := t.EntryID()
	if len(t.Headers) > mostHeaders {
		return name.wrong("headers", "has %d headers: write at most %d", len(t.Headers), mostHeaders)
	}
	for header, value := range t.Headers {
		setting, ours := taken(header)
		switch {
		case !isToken(header):
			return name.wrong("headers", "has the header %q: write a name of letters, digits and dashes", header)
		case ours && setting != "":
			return name.wrong("headers", "has the header %q, which calls have by %s: set that instead", header, setting)
		case ours:
			return name.wrong("headers", "has the header %q, which is made for each call: leave it out", header)
		case len(value) > longestHeader || strings.ContainsFunc(value, isControl):
			return name.wrong("headers", "has a header %s whose value is no line of at most %d bytes", header, longestHeader)
		}
	}
	return nil
}

// isToken says whether s can be the name of a header (RFC 3261 section 25.1).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && (r > 0x7e || !strings.ContainsRune("-.!%*_+`'~", r))
	})
}
