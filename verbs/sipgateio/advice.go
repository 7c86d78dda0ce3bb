// SPDX-License-Identifier: MIT

package sipgateio

import (
	"strings"

	"github.com/beevik/etree"
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
	case "say":
		return "text cannot be spoken yet, <Play> a sound file"
	case "set":
		return "use the attributes callerId and anonymous of <Dial>"
	case "url":
		return "put it into <Play>"
	case "number", "voicemail":
		return "put it into <Dial>"
	}
	if name := nearest(tag, known); name != "" {
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
	if meant := nearest(name, known); meant != "" {
		return "did you mean " + meant + "?"
	}
	if len(known) == 0 {
		return "leave it out"
	}
	return "write " + strings.Join(known, ", ") + " or nothing"
}

// nearest gives the known name that was probably meant: the one with the fewest
// slips, if they are few for its length. It is empty when none is near.
func nearest(name string, known []string) string {
	best, fewest := "", len(name)+1
	for _, k := range known {
		if n := slips(strings.ToLower(name), strings.ToLower(k)); n < fewest && n <= (len(k)+1)/3 {
			best, fewest = k, n
		}
	}
	return best
}

// slips counts how many letters must be put in, left out, replaced or swapped
// with their neighbour to make b of a (optimal string alignment). Names that
// differ much in length are not looked at.
func slips(a, b string) int {
	if max(len(a), len(b)) > 2*min(len(a), len(b)) {
		return max(len(a), len(b))
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(replace, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
