// SPDX-License-Identifier: MIT

package dialog

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/intake"
)

// maxForwards is how many hops a request of ours may take (RFC 3261 section
// 8.1.1.6), and sdpType the one kind of body that we offer.
const (
	maxForwards = 70
	sdpType     = "application/sdp"
)

// Header is one header field that a caller adds to a message.
type Header struct{ Name, Value string }

// IsExtension says whether it is one of those that apps make up for themselves:
// X-….
func (h Header) IsExtension() bool { return len(h.Name) > 2 && strings.EqualFold(h.Name[:2], "X-") }

// sipHeader checks a header and gives it in sipgo's form. Whatever comes from
// outside goes through here, so no line break can smuggle a header in.
func (h Header) sipHeader() (sip.Header, error) {
	if h.Name == "" || strings.ContainsFunc(h.Name, func(r rune) bool { return r > 0x7e || !intake.IsTokenByte(byte(r)) }) {
		return nil, fmt.Errorf("header name %q is not a token", h.Name)
	}
	if i := strings.IndexFunc(h.Value, isControl); i >= 0 {
		return nil, fmt.Errorf("header %s: value %q has a control character", h.Name, h.Value)
	}
	return sip.NewHeader(h.Name, h.Value), nil
}

// parseURI reads a SIP URI that we are to send, and refuses what would break
// out of a header.
func parseURI(s string) (sip.Uri, error) {
	var u sip.Uri
	if strings.ContainsFunc(s, func(r rune) bool { return isControl(r) || strings.ContainsRune(" <>\"", r) }) {
		return u, fmt.Errorf("SIP URI %q has a character that is not allowed", s)
	}
	if err := sip.ParseUri(s, &u); err != nil {
		return u, fmt.Errorf("SIP URI %q: %w", s, err)
	}
	if u.Scheme != "sip" && u.Scheme != "sips" || u.Host == "" {
		return u, fmt.Errorf("SIP URI %q: want sip:user@host or sips:user@host", s)
	}
	u.Host = strings.Trim(u.Host, "[]")
	return u, nil
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

// mostContacts is how many places a redirection may name.
const mostContacts = 10

// contacts gives where a 3xx sends us, the best first (RFC 3261 section 8.1.3.4).
func contacts(res *sip.Response) []string {
	if res.StatusCode/100 != 3 {
		return nil
	}
	var all []*sip.ContactHeader
	for _, h := range res.GetHeaders("Contact") {
		if c, ok := h.(*sip.ContactHeader); ok && !c.Address.Wildcard {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b *sip.ContactHeader) int { return cmp.Compare(preference(b), preference(a)) })
	var uris []string
	for _, c := range all[:min(len(all), mostContacts)] {
		uris = append(uris, c.Address.String())
	}
	return uris
}

// preference is the q value of a Contact; none is 1 (RFC 3261 section 20.10).
func preference(c *sip.ContactHeader) float64 {
	s, _ := c.Params.Get("q")
	if q, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
		return q
	}
	return 1
}
