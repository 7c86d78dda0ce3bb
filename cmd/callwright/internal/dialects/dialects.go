// SPDX-License-Identifier: MIT

package dialects

import (
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/verbs/builtin"
	"github.com/callwright/callwright/verbs/sipgateio"
)

// Default is the language of an App that names none.
const Default = "sipgate"

// Language is a dialect and what its documents look like.
type Language struct {
	engine.Dialect
	// ContentType is that of its documents.
	ContentType string
	// Text gives a reply's document in UTF-8, as Problems count its lines and
	// columns.
	Text func(engine.Reply) (string, error)
}

// All gives the languages by the names that apps[].dialect may have.
func All() map[string]Language {
	return map[string]Language{
		Default: {Dialect: sipgateio.New(builtin.Deliver), ContentType: "application/xml", Text: sipgateio.Text},
	}
}

// Engine gives what the engine is to know: all languages, and without a name
// the account settings, which are asked nothing.
func Engine() map[string]engine.Dialect {
	table := map[string]engine.Dialect{"": builtin.AccountSettings{}}
	for name, language := range All() {
		table[name] = language.Dialect
	}
	return table
}
