// SPDX-License-Identifier: MIT

package sip

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/sip/dialog"
)

// What is kept of the X- headers of an INVITE.
const (
	mostExtensions   = 20
	longestExtension = 1024 // bytes of a value
	allExtensions    = 4096 // bytes of all names and values
)

// caller is who calls; withheld by From or by Privacy (RFC 3323 section 4.2, RFC
// 3325 section 9.3). Only from who is trusted to have made sure of it, a
// P-Asserted-Identity is believed before From.
func caller(in dialog.Invitation, trusted bool) directory.Address {
	user := dialog.UserPart(in.From.URI)
	if hidden(in.Header("Privacy")) || user == "" || strings.EqualFold(user, "anonymous") {
		return directory.Anonymous()
	}
	party := in.From
	if asserted := dialog.ParseParties(in.Header("P-Asserted-Identity")); trusted && len(asserted) > 0 {
		isNumber := func(p dialog.Party) bool { return directory.IsNumber(dialog.UserPart(p.URI)) }
		party = asserted[max(0, slices.IndexFunc(asserted, isNumber))]
		party.Name = cmp.Or(party.Name, in.From.Name)
	}
	return called(party)
}

// hidden says whether the values of Privacy ask for the caller to stay unknown.
func hidden(values []string) bool {
	for _, value := range values {
		for _, word := range strings.FieldsFunc(value, func(r rune) bool { return r == ';' || r == ',' || unicode.IsSpace(r) }) {
			if strings.EqualFold(word, "id") || strings.EqualFold(word, "user") {
				return true
			}
		}
	}
	return false
}

// diversion is the number that was dialled first (RFC 5806: the last Diversion
// header is the oldest).
func diversion(in dialog.Invitation) string {
	parties := dialog.ParseParties(in.Header("Diversion"))
	if len(parties) == 0 {
		return ""
	}
	if user := dialog.UserPart(parties[len(parties)-1].URI); directory.IsNumber(user) {
		return directory.NormalizeNumber(user)
	}
	return ""
}

// meant is who a call is for that came to the Contact that we registered: that
// leads to us and says no more. What was called stands in P-Called-Party-ID (RFC
// 7315 section 4.2), else in To.
func meant(in dialog.Invitation) dialog.Party {
	for _, name := range []string{"P-Called-Party-ID", "To"} {
		if parties := dialog.ParseParties(in.Header(name)); len(parties) > 0 && dialog.UserPart(parties[0].URI) != "" {
			return parties[0]
		}
	}
	return in.To
}

// extensions gives the X- headers of an INVITE, as many as a timeline can bear.
func extensions(in dialog.Invitation) []engine.Header {
	var kept []engine.Header
	names, size := map[string]bool{}, 0
	for _, h := range in.Extensions() {
		size += len(h.Name) + len(h.Value)
		names[strings.ToLower(h.Name)] = true
		if len(names) > mostExtensions || size > allExtensions {
			break
		}
		if value := dialog.Printable(h.Value); len(h.Value) <= longestExtension && dialog.Printable(h.Name) == h.Name {
			kept = append(kept, engine.Header{Name: h.Name, Value: value})
		}
	}
	return kept
}

// shown is who the target sees calling, and the headers that go with that.
// Somebody who wants to stay unknown is anonymous in From and asks for it in
// Privacy; only a trunk that is told who calls by P-Asserted-Identity learns a
// number, and is trusted not to show it (RFC 3323, RFC 3325 section 7).
func shown(r engine.DialRequest, way route) (dialog.Party, []dialog.Header) {
	headers := way.headers(r)
	if r.Diversion != "" {
		headers = append(headers, dialog.Header{Name: "Diversion", Value: "<" + way.at(r.Diversion) + ">"})
	}
	party, unknown := way.callerID(r.From), r.From.Kind == directory.KindAnonymous
	if unknown {
		headers = append(headers, dialog.Header{Name: "Privacy", Value: "id"})
	}
	switch identity := way.trunk.Identity; {
	case identity == directory.IdentityAsserted:
		headers = append(headers, dialog.Header{Name: "P-Asserted-Identity", Value: party.String()})
		party = dialog.Party{Name: party.Name, URI: way.at(way.trunk.Username)}
	case identity == directory.IdentityPreferred:
		if !unknown {
			headers = append(headers, dialog.Header{Name: "P-Preferred-Identity", Value: party.String()})
		}
		party = dialog.Party{Name: party.Name, URI: way.at(way.trunk.Username)}
	}
	if unknown {
		return dialog.Party{Name: "Anonymous", URI: "sip:anonymous@anonymous.invalid"}, headers
	}
	return party, headers
}

// callerID is whom a route shows as calling: a number or, where there is none,
// that of the trunk. Of somebody who wants to stay unknown it has no other.
func (r route) callerID(from directory.Address) dialog.Party {
	switch {
	case from.Kind == directory.KindAnonymous:
		return dialog.Party{URI: r.at(cmp.Or(r.trunk.From, r.trunk.Username, "unknown"))}
	case from.Kind == directory.KindNumber:
		return dialog.Party{Name: from.Name, URI: r.at(from.Value)}
	case r.trunk.From != "":
		return dialog.Party{URI: r.at(r.trunk.From)}
	}
	// Our user, or a caller from elsewhere: shown at our own place, because what
	// it called itself may be no SIP URI.
	user := from.Value
	if from.Kind == directory.KindSIP {
		user = dialog.UserPart(user)
	}
	return dialog.Party{Name: from.Name, URI: r.at(cmp.Or(user, "unknown"))}
}

// headers are those that go with every call to a trunk, and with one to a user's
// phone the X- headers that came with the call.
func (r route) headers(request engine.DialRequest) []dialog.Header {
	var headers []dialog.Header
	if r.trunk.Name == "" {
		for _, h := range request.Headers {
			if h := (dialog.Header{Name: h.Name, Value: h.Value}); h.IsExtension() {
				headers = append(headers, h)
			}
		}
		return headers
	}
	for _, name := range slices.Sorted(maps.Keys(r.trunk.Headers)) {
		headers = append(headers, dialog.Header{Name: name, Value: r.trunk.Headers[name]})
	}
	return headers
}
