// SPDX-License-Identifier: MIT

package dialog

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Replaces names a call whose place another one is to take (RFC 3891).
type Replaces struct {
	CallID string
	// To is the tag of whoever is asked, From that of the other side.
	To, From string
	// EarlyOnly says that the place is wanted only while it is not answered.
	EarlyOnly bool
}

// ParseReplaces reads a Replaces header.
func ParseReplaces(s string) (Replaces, error) {
	id, params, _ := strings.Cut(s, ";")
	r := Replaces{CallID: strings.TrimSpace(id)}
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(p, "=")
		switch value = strings.TrimSpace(value); strings.ToLower(strings.TrimSpace(name)) {
		case "to-tag":
			r.To = value
		case "from-tag":
			r.From = value
		case "early-only":
			r.EarlyOnly = true
		}
	}
	if r.CallID == "" || r.To == "" || r.From == "" || strings.ContainsFunc(s, isControl) {
		return Replaces{}, fmt.Errorf("header Replaces %q: want call-id;to-tag=…;from-tag=…", s)
	}
	return r, nil
}

// String writes it as a header.
func (r Replaces) String() string {
	s := r.CallID + ";to-tag=" + r.To + ";from-tag=" + r.From
	if r.EarlyOnly {
		s += ";early-only"
	}
	return s
}

// Replaced finds the call of ours whose place another one is to take, or says what
// to answer that with (RFC 3891 section 3). It gives the Owner of its Handler.
func (e *Endpoint) Replaced(r Replaces) (owner any, no *Response) {
	d := e.dialogs.find(r.To, r.CallID)
	if d == nil || !d.isWith(r.From) {
		return nil, &Response{Status: sip.StatusCallTransactionDoesNotExists, Phrase: "Call/Transaction Does Not Exist"}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.phase == early && d.in != nil: // the peer called, and waits for us
		no = &Response{Status: sip.StatusCallTransactionDoesNotExists, Phrase: "Call/Transaction Does Not Exist"}
	case d.phase == confirmed && r.EarlyOnly:
		no = &Response{Status: sip.StatusBusyHere, Phrase: "Busy Here"}
	case d.phase != early && d.phase != confirmed:
		no = &Response{Status: sip.StatusGlobalDecline, Phrase: "Decline"}
	}
	return d.handler.Owner, no
}

// isWith says whether the other side has a tag; "0" stands for none (RFC 3891
// section 3).
func (d *Dialog) isWith(tag string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.out != nil && d.phase == early {
		return d.out.forks[tag] != nil
	}
	theirs, _ := d.peer.to.Params.Get("tag")
	return theirs == tag || theirs == "" && tag == "0"
}

// Replaces names the call, as its other side would have to: for a REFER that has
// somebody take its place there. ok is false before it is answered.
func (d *Dialog) Replaces() (r Replaces, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	tag, _ := d.peer.to.Params.Get("tag")
	return Replaces{CallID: d.callID, To: tag, From: d.tag}, d.phase == confirmed && tag != ""
}

// referTo is what a Refer-To header says.
type referTo struct {
	uri      string // without headers
	method   string // empty is INVITE
	replaces string
}

// parseReferTo reads a Refer-To header (RFC 3515 section 2.1). Of the headers that
// its URI may carry only Replaces is taken.
func parseReferTo(s string) (referTo, error) {
	s = parseParty(s).URI
	uri, headers := cutHeaders(s)
	scheme, _, _ := strings.Cut(uri, ":")
	switch strings.ToLower(scheme) {
	case "sip", "sips", "tel":
	default:
		return referTo{}, fmt.Errorf("header Refer-To: %q is no SIP or tel URI", s)
	}
	if strings.ContainsFunc(uri, isControl) {
		return referTo{}, fmt.Errorf("header Refer-To: %q has a control character", uri)
	}
	r := referTo{uri: uri}
	for p := range strings.SplitSeq(uri, ";") {
		if name, value, _ := strings.Cut(p, "="); strings.EqualFold(name, "method") && !strings.EqualFold(value, "INVITE") {
			r.method = value
		}
	}
	for h := range strings.SplitSeq(headers, "&") {
		name, value, _ := strings.Cut(h, "=")
		if !strings.EqualFold(name, "Replaces") {
			continue
		}
		plain, err := url.PathUnescape(value)
		if err != nil || r.replaces != "" {
			return referTo{}, fmt.Errorf("header Refer-To: %q: Replaces cannot be read", s)
		}
		r.replaces = plain
	}
	return r, nil
}

// cutHeaders cuts a URI from its headers. A question mark may be in the user
// part, too (RFC 3261 section 25.1).
func cutHeaders(uri string) (plain, headers string) {
	at := max(strings.IndexByte(uri, '@'), 0)
	if end := strings.IndexByte(uri[at:], '?'); end >= 0 {
		return uri[:at+end], uri[at+end+1:]
	}
	return uri, ""
}
