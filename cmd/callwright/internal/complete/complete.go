// SPDX-License-Identifier: MIT

package complete

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Candidate is a word that may come next, and what it means.
type Candidate struct{ Word, Help string }

// line is how far a command line was read.
type line struct {
	node  *kong.Node
	given int        // arguments that are no flags
	value *kong.Flag // whose value comes next
}

// Candidates gives the words that the last of words may become; those before
// stand already. A flag and its value may be one word or, as bash cuts them,
// three: --codec = pcmu.
func Candidates(model *kong.Application, words []string) []Candidate {
	if len(words) == 0 {
		return nil
	}
	l := line{node: model.Node}
	before, last := words[:len(words)-1], strings.TrimPrefix(words[len(words)-1], "=")
	for _, word := range before {
		if word != "=" {
			l.read(word)
		}
	}
	var found []Candidate
	for _, c := range l.next(last) {
		if strings.HasPrefix(c.Word, last) {
			found = append(found, c)
		}
	}
	return found
}

// read takes a word that stands.
func (l *line) read(word string) {
	switch {
	case l.value != nil:
		l.value = nil
	case strings.HasPrefix(word, "-"):
		name, _, whole := strings.Cut(word, "=")
		if f := l.flag(name); f != nil && !f.IsBool() && !whole {
			l.value = f
		}
	default:
		i := slices.IndexFunc(l.node.Children, func(n *kong.Node) bool { return n.Name == word })
		if i < 0 {
			l.given++
			return
		}
		l.node, l.given = l.node.Children[i], 0
	}
}

// next gives all that may come next, where the word begins as it does.
func (l *line) next(begin string) (all []Candidate) {
	if l.value != nil {
		return values("", l.value.Value)
	}
	if name, _, whole := strings.Cut(begin, "="); whole && strings.HasPrefix(begin, "--") {
		if f := l.flag(name); f != nil {
			return values(name+"=", f.Value)
		}
		return nil
	}
	if strings.HasPrefix(begin, "-") {
		for _, f := range l.flags() {
			all = append(all, Candidate{"--" + f.Name, f.Help})
		}
		return all
	}
	for _, n := range l.node.Children {
		if !n.Hidden {
			all = append(all, Candidate{n.Name, n.Help})
		}
	}
	if l.given < len(l.node.Positional) {
		all = append(all, values("", l.node.Positional[l.given])...)
	}
	return all
}

// values gives what a flag or an argument may be, if that is settled.
func values(before string, v *kong.Value) (all []Candidate) {
	if v.Enum == "" {
		return nil
	}
	for _, word := range v.EnumSlice() {
		all = append(all, Candidate{before + word, ""})
	}
	return all
}

// flags gives the flags that may stand here.
func (l *line) flags() []*kong.Flag { return slices.Concat(l.node.AllFlags(true)...) }

func (l *line) flag(name string) *kong.Flag {
	for _, f := range l.flags() {
		if name == "--"+f.Name || f.Short != 0 && name == "-"+string(f.Short) {
			return f
		}
	}
	return nil
}
