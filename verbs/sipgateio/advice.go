// SPDX-License-Identifier: MIT

package sipgateio

import (
	"strings"

	"github.com/beevik/etree"

	"github.com/callwright/callwright/internal/nearest"
)

// attribute finds an attribute by its name in any case.
func attribute(e *etree.Element, name string) *etree.Attr {
	for i, a := range e.Attr {
		if a.Space == "" && strings.EqualFold(a.Key, name) {
			return &e.Attr[i]
		}
	}
	return nil
}

// ownText gives the text of an element without that of its children; comments
// do not break it.
func ownText(e *etree.Element) string {
	var b strings.Builder
	for _, token := range e.Child {
		if text, ok := token.(*etree.CharData); ok {
			b.WriteString(text.Data)
		}
	}
	return b.String()
}

// elementAdvice says what to do about an element that is not known where it
// stands, known being those that are.
func elementAdvice(tag string, known []string) string {
	switch strings.ToLower(tag) {
	case "url":
		return "put it into <Play>"
	case "number", "voicemail":
		return "put it into <Dial>"
	}
	if name := nearest.Of(tag, known); name != "" {
		return "did you mean <" + name + ">?"
	}
	if len(known) == 0 {
		return "leave it out"
	}
	return "write <" + strings.Join(known, ">, <") + "> or nothing"
}

// textAdvice says what to do about text in an element that holds elements.
func textAdvice(tag string) string {
	switch strings.ToLower(tag) {
	case "play":
		return "put it into <Url>"
	case "dial":
		return "put it into <Number>"
	}
	return "leave it out"
}

// nameAdvice says what to do about an attribute, or a value, that is not known.
func nameAdvice(name string, known []string) string {
	if meant := nearest.Of(name, known); meant != "" {
		return "did you mean " + meant + "?"
	}
	if len(known) == 0 {
		return "leave it out"
	}
	return "write " + strings.Join(known, ", ") + " or nothing"
}
