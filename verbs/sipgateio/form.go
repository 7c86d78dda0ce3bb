// SPDX-License-Identifier: MIT

package sipgateio

import (
	"net/url"
	"strings"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// form is the body of a push. Unlike url.Values it keeps the order of its
// fields. Names are escaped too, in upper case: the official client looks for
// the text "user%5B%5D".
type form []string

func (f *form) add(name, value string) {
	*f = append(*f, url.QueryEscape(name)+"="+url.QueryEscape(value))
}

// addIfSet leaves an empty field out: the official client would make a number
// of it.
func (f *form) addIfSet(name, value string) {
	if value != "" {
		f.add(name, value)
	}
}

// addParties adds who called whom and, once somebody picked up, at which number.
func (f *form) addParties(c engine.CallInfo, by *directory.Address) {
	f.add("from", number(c.From))
	f.add("to", called(c))
	f.add("direction", string(c.Direction))
	if by != nil {
		f.add("answeringNumber", answeringNumber(c, *by))
	}
}

// addUser adds who a party is, if it is a User.
func (f *form) addUser(c engine.CallInfo, who directory.Address) {
	if u, ok := user(c, who); ok {
		f.add("user", userName(u))
		f.add("userId", u.ID)
		f.add("fullUserId", fullUserID(c.Account, u))
	}
}

// addDiversion adds the number that was dialled before the call came to us.
func (f *form) addDiversion(c engine.CallInfo) {
	if directory.IsNumber(c.Diversion) {
		f.add("diversion", number(directory.NumberAddress(c.Diversion)))
	}
}

// addChain adds what a call has in common with those it came from.
func (f *form) addChain(c engine.CallInfo) {
	f.add("origCallId", callID(c.Chain))
	f.add("xcid", xcid(c))
}

// String is the form as it is sent.
func (f form) String() string { return strings.Join(f, "&") }
