// SPDX-License-Identifier: MIT

package lint

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/callwright/callwright/cmd/callwright/internal/dialects"
	"github.com/callwright/callwright/cmd/callwright/internal/excerpt"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/verbs"
)

// Report is what a document says.
type Report struct {
	Problems []engine.Problem
	// Document is what is left without what the Problems are about.
	Document engine.Document
	// Text is the document in UTF-8.
	Text string
}

// Read reads the reply to a question about a call.
func Read(language dialects.Language, c engine.CallInfo, asked engine.Event, reply engine.Reply) Report {
	var r Report
	r.Document, r.Problems = language.Parse(c, asked, reply)
	r.Text, _ = language.Text(reply) // what cannot be read is a Problem already
	return r
}

// Program gives the verbs, one line each, and what follows a last one that does
// not end the call.
func (r Report) Program() []string {
	lines := make([]string, 0, len(r.Document.Program)+1)
	for i, v := range r.Document.Program {
		lines = append(lines, excerpt.Plain(v.String()))
		if _, goesOn := v.(verbs.Prompt); goesOn && i+1 == len(r.Document.Program) {
			lines = append(lines, "leave the call to the settings of its number")
		}
	}
	return lines
}

// PrintProblems prints each Problem behind its place, and beneath it the line of
// the document. place words the place of a Problem.
func (r Report) PrintProblems(out io.Writer, place func(engine.Problem) string) {
	for _, p := range r.Problems {
		fmt.Fprintf(out, "%s%s\n", place(p), excerpt.Plain(p.Sentence))
		for line := range strings.Lines(excerpt.Of(r.Text, p.Line, p.Column)) {
			fmt.Fprintf(out, "    %s\n", strings.TrimRight(line, "\n"))
		}
	}
}

// PrintProgram prints what the document has the engine do.
func (r Report) PrintProgram(out io.Writer) {
	for i, line := range r.Program() {
		fmt.Fprintf(out, "  %d. %s\n", i+1, line)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Document.Remember)) {
		fmt.Fprintf(out, "  %s: %s\n", name, excerpt.Plain(r.Document.Remember[name]))
	}
}

// count gives "no problems", "1 problem" or "3 problems".
func (r Report) count() string {
	switch n := len(r.Problems); n {
	case 0:
		return "no problems"
	case 1:
		return "1 problem"
	default:
		return fmt.Sprintf("%d problems", n)
	}
}
