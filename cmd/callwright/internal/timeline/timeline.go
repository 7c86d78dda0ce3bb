// SPDX-License-Identifier: MIT

package timeline

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/excerpt"
	"github.com/callwright/callwright/engine"
)

// Printer prints lines. It is safe for use by many goroutines at once.
type Printer struct {
	out  io.Writer
	when func(time.Time) string

	mu sync.Mutex
	// documents are what the apps answered last, by call.
	documents map[engine.ID]string
}

// Since makes a Printer that tells the seconds since a time.
func Since(start time.Time, out io.Writer) *Printer {
	return newPrinter(out, func(at time.Time) string {
		return fmt.Sprintf("%7.3f", at.Sub(start).Round(time.Millisecond).Seconds()) // rounded, there is no -0.000
	})
}

// Clock makes a Printer that tells the time of the day.
func Clock(out io.Writer) *Printer {
	return newPrinter(out, func(at time.Time) string { return at.Local().Format("15:04:05.000") })
}

func newPrinter(out io.Writer, when func(time.Time) string) *Printer {
	return &Printer{out: out, when: when, documents: map[engine.ID]string{}}
}

// Say prints what somebody does now.
func (p *Printer) Say(who, format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line(time.Now(), who, fmt.Sprintf(format, args...))
}

// Event prints what happened on a call.
func (p *Printer) Event(who string, e engine.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	indent := p.line(e.At, who, fmt.Sprintf("%-8s  %s", e.Kind, e.Text))
	switch e.Kind {
	case engine.EventRequest:
		p.beneath(indent, e.Data.Body)
	case engine.EventReply:
		p.beneath(indent, e.Data.Body)
		p.documents[e.Call] = e.Data.Body
	case engine.EventProblem:
		if problem := e.Data.Problem; problem != nil {
			p.beneath(indent, excerpt.Of(p.documents[e.Call], problem.Line, problem.Column))
		}
	case engine.EventEnded:
		delete(p.documents, e.Call) // nothing that comes after is a document
	}
}

// line prints a line, and gives how far to the right the text of events begins.
func (p *Printer) line(at time.Time, who, text string) (indent int) {
	before := fmt.Sprintf("%s  %-10s  ", p.when(at), who)
	fmt.Fprintf(p.out, "%s%s\n", before, excerpt.Plain(text))
	return len(before) + len("incoming  ")
}

// beneath prints lines under the one before.
func (p *Printer) beneath(indent int, text string) {
	for line := range strings.Lines(strings.TrimSpace(text)) {
		fmt.Fprintf(p.out, "%*s%s\n", indent, "", excerpt.Plain(strings.TrimRight(line, "\r\n")))
	}
}
