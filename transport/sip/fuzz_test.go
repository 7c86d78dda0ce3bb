// SPDX-License-Identifier: MIT

package sip

import (
	"testing"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/sip/dialog"
)

// Whatever a URI says, it names somebody or nobody, and what it names can be
// shown to the next party.
func FuzzUserPart(f *testing.F) {
	f.Add("sip:+4921;phone-context=%2B49@host:5060;transport=tcp")
	f.Add("tel:+49-21;ext=1")
	f.Add("sip:%zz@[::1]")
	f.Add("*")
	f.Fuzz(func(t *testing.T, uri string) {
		from := called(dialog.Party{Name: uri, URI: uri})
		if from.Kind == engine.KindNumber && !engine.IsNumber(from.Value) {
			t.Errorf("%q became the number %q", uri, from.Value)
		}
		party, _ := shown(engine.DialRequest{From: from, Diversion: uri}, route{host: "192.0.2.1:5060"})
		if party.URI == "" {
			t.Errorf("%q cannot be shown", uri)
		}
	})
}
