// SPDX-License-Identifier: MIT

package dialog

import (
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// The extensions that we speak, as Supported and Require name them.
const (
	option100rel = "100rel" // RFC 3262
	optionTimer  = "timer"  // RFC 4028

	optionReplaces   = "replaces"   // RFC 3891
	optionNoReferSub = "norefersub" // RFC 4488
)

// supported is the Supported header: what a peer may require of us.
const supported = option100rel + ", " + optionTimer + ", " + optionReplaces + ", " + optionNoReferSub

// unsupported gives what a request requires that we do not speak, in the words
// of the Unsupported header; empty if there is nothing (RFC 3261 section
// 8.2.2.3).
func unsupported(req *sip.Request) string {
	ours := split(supported)
	return strings.Join(slices.DeleteFunc(list(req, "Require", ""), func(option string) bool {
		return slices.ContainsFunc(ours, func(o string) bool { return strings.EqualFold(o, option) })
	}), ", ")
}

// supports says whether the sender of a message speaks an extension, and
// requires whether it insists on it.
func supports(m sip.Message, option string) bool { return has(list(m, "Supported", "k"), option) }
func requires(m sip.Message, option string) bool { return has(list(m, "Require", ""), option) }

// allows says whether the sender of a message takes a method, and whether the
// message tells.
func allows(m sip.Message, method sip.RequestMethod) (yes, told bool) {
	methods := list(m, "Allow", "")
	return has(methods, string(method)), len(methods) > 0
}

func has(values []string, value string) bool {
	return slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, value) })
}

// list gives the members of a header that is a list of tokens, by its name or its
// compact form.
func list(m sip.Message, name, compact string) []string {
	values := split(value(m, name))
	if compact != "" {
		values = append(values, split(value(m, compact))...)
	}
	return values
}

// value gives a header of any number of lines in one.
func value(m sip.Message, name string) string {
	var lines []string
	for _, h := range m.GetHeaders(name) {
		lines = append(lines, h.Value())
	}
	return strings.Join(lines, ",")
}

func split(s string) []string {
	var values []string
	for v := range strings.SplitSeq(s, ",") {
		if v = strings.TrimSpace(v); v != "" {
			values = append(values, v)
		}
	}
	return values
}
