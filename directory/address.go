// SPDX-License-Identifier: MIT

package directory

import "strings"

// AddressKind is what sort of party an Address names.
type AddressKind string

// The sorts of parties.
const (
	KindAnonymous AddressKind = "anonymous" // withheld
	KindNumber    AddressKind = "number"    // E.164 with plus, or an extension
	KindUser      AddressKind = "user"      // the id of a User
	KindGroup     AddressKind = "group"     // the id of a Group
	KindSIP       AddressKind = "sip"       // any other SIP address
	// KindVoicemail is the voicemail of a User or of a Number that rings none.
	KindVoicemail AddressKind = "voicemail"
)

// Address is a party as it appears in From, To and targets.
type Address struct {
	Kind AddressKind `json:"kind"`
	// Value is the number (E.164 has a plus), the User's or Group's id, the SIP
	// URI, or the box: whose voicemail it is.
	// It is empty for an anonymous party.
	Value string `json:"value,omitempty"`
	// Name is the display name, if any.
	Name string `json:"name,omitempty"`
	// Number is the number at which a User is called, rings or has picked up: the one
	// that was dialled and rings it, else its own. Empty for other parties, which are
	// reached at their Value, and for a User that has none.
	Number string `json:"number,omitempty"`
}

// Anonymous is a party that withheld its number.
func Anonymous() Address { return Address{Kind: KindAnonymous} }

// NumberAddress is the party at a number, written as NormalizeNumber does.
func NumberAddress(number string) Address {
	return Address{Kind: KindNumber, Value: NormalizeNumber(number)}
}

// String gives the value, or "anonymous".
func (a Address) String() string {
	if a.Kind == KindAnonymous || a.Value == "" {
		return "anonymous"
	}
	return a.Value
}

// Same says whether both are one party.
func (a Address) Same(b Address) bool { return a.Kind == b.Kind && a.Value == b.Value && a.Value != "" }

// IsNumber says whether s can be a telephone number: digits, perhaps with a
// plus before them and with spaces, dashes, dots, slashes or brackets between.
func IsNumber(s string) bool {
	n := NormalizeNumber(s)
	digits := strings.TrimPrefix(n, "+")
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}

// NormalizeNumber gives a telephone number the one form it has inside: what is
// only there for the eye is taken out, an international number gets a plus
// ("0049…" and "4921112345" become "+49…"). Extensions (under eight digits) and
// national numbers (a leading zero) stay as they are, because their country is
// not known.
func NormalizeNumber(s string) string {
	n := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -./()\u00a0", r) {
			return -1
		}
		return r
	}, s)
	switch {
	case strings.HasPrefix(n, "+"):
	case strings.HasPrefix(n, "00"):
		n = "+" + n[2:]
	case len(n) >= 8 && n[0] != '0' && strings.Trim(n, "0123456789") == "":
		n = "+" + n
	}
	return n
}
