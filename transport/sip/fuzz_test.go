// SPDX-License-Identifier: MIT

package sip

import (
	"strings"
	"testing"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/sip/dialog"
)

// Whatever a header says of parties, it can be read, and what is read be shown.
func FuzzParties(f *testing.F) {
	f.Add(`"A, \"B\"" <sip:+4921@h;x="y,z">;a=b, <tel:+49>, sip:c@h;d=e`)
	f.Add("\"<,\\")
	f.Fuzz(func(t *testing.T, value string) {
		for _, p := range dialog.ParseParties([]string{value}) {
			if a := called(p); a.Kind == directory.KindNumber && !directory.IsNumber(a.Value) || strings.ContainsAny(p.Name, "\r\n\x00") {
				t.Errorf("%q names %+v, which is %+v", value, p, a)
			}
		}
		hidden([]string{value})
	})
}

// Whatever a URI says, it names somebody or nobody, and what it names can be
// shown to the next party.
func FuzzShown(f *testing.F) {
	f.Add("sip:+4921;phone-context=%2B49@host:5060;transport=tcp")
	f.Add("tel:+49-21;ext=1")
	f.Add("sip:%zz@[::1]")
	f.Add("*")
	f.Fuzz(func(t *testing.T, uri string) {
		from := called(dialog.Party{Name: uri, URI: uri})
		if from.Kind == directory.KindNumber && !directory.IsNumber(from.Value) {
			t.Errorf("%q became the number %q", uri, from.Value)
		}
		party, _ := shown(engine.DialRequest{From: from, Diversion: uri}, route{host: "192.0.2.1:5060"})
		if party.URI == "" {
			t.Errorf("%q cannot be shown", uri)
		}
	})
}
