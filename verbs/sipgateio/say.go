// SPDX-License-Identifier: MIT

package sipgateio

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/verbs"
)

// languageTag is how a language is written (RFC 5646, as far as anybody speaks).
var languageTag = regexp.MustCompile(`^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8}){0,3}$`)

// say reads <Say language voice>, which is an extension.
func (p *parser) say(e *etree.Element) {
	if v, ok := p.speech(e); ok {
		p.run(e, v, false)
	}
}

// speech reads a <Say>, also one in <Gather>. Which languages and voices there
// are is said when it is spoken.
func (p *parser) speech(e *etree.Element) (v verbs.Say, ok bool) {
	text, attributes := p.leaf(e, "language", "voice")
	v = verbs.Say{Text: strings.Join(strings.Fields(text), " "), Language: attributes["language"], Voice: attributes["voice"]}
	if v.Language != "" && !languageTag.MatchString(v.Language) {
		p.complain(e, "language", "language=%.40q is no language: write one like de-DE, or leave it out", v.Language)
		v.Language = ""
	}
	switch n := utf8.RuneCountInString(v.Text); {
	case n == 0:
		p.complain(e, "", "<%.40s> has no text: write what is to be spoken into it, for example <Say>Welcome</Say>", e.Tag)
	case n > engine.MaxSpeech:
		p.complain(e, "", "the text has %d characters, and at most %d can be spoken at once: write several <%.40s>", n, engine.MaxSpeech, e.Tag)
	default:
		return v, true
	}
	return v, false
}
