// SPDX-License-Identifier: MIT

package send

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/callwright/callwright/cmd/callwright/internal/dialects"
	"github.com/callwright/callwright/cmd/callwright/internal/excerpt"
	"github.com/callwright/callwright/cmd/callwright/internal/lint"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/verbs"
	"github.com/callwright/callwright/verbs/sipgateio"
)

// Do sends a push, prints what was sent, what came back and what the engine
// would do, and says whether the app did well.
func Do(ctx context.Context, out io.Writer, fetcher engine.Fetcher, language dialects.Language, p Push) (good bool, err error) {
	request, err := p.request(language)
	if err != nil {
		return false, err
	}
	printRequest(out, request)
	reply := fetcher.Fetch(ctx, request)
	printReply(out, reply)
	if !p.asks() {
		if reply.Err == nil {
			fmt.Fprintln(out, "Good. Nothing in this reply is read.")
		}
		return reply.Err == nil, nil
	}
	if reply.Err != nil {
		printMissing(out, language, p, engine.MissingUnreachable)
		return false, nil
	}
	report := lint.Read(language, p.call(), p.event(), reply)
	report.PrintProblems(out, func(problem engine.Problem) string {
		if problem.Line == 0 {
			return ""
		}
		return fmt.Sprintf("line %d, column %d: ", problem.Line, problem.Column)
	})
	switch {
	case len(report.Document.Program) > 0:
		fmt.Fprintln(out, "Now callwright would:")
		report.PrintProgram(out)
	case len(report.Problems) > 0:
		printMissing(out, language, p, engine.MissingBad)
	default:
		printMissing(out, language, p, engine.MissingEmpty)
		report.PrintProgram(out)
	}
	printNext(out, p, report.Document)
	return len(report.Problems) == 0, nil
}

// printMissing shows what the dialect does without a program.
func printMissing(out io.Writer, d engine.Dialect, p Push, why engine.Missing) {
	fmt.Fprintln(out, "Now callwright would leave the call to the settings of its number:")
	if len(p.Call.Users) == 0 && p.Call.Direction == engine.In {
		fmt.Fprintln(out, "  ring its users, if it has any")
		return
	}
	for i, v := range d.Default(p.call(), p.event(), why) {
		fmt.Fprintf(out, "  %d. %s\n", i+1, excerpt.Plain(v.String()))
	}
}

// printNext gives the commands with which the dialogue goes on.
func printNext(out io.Writer, p Push, d engine.Document) {
	var commands []string
	add := func(name, url, flag string) {
		words := []string{"callwright send", name, quote(url), flag, "--call-id=" + p.Call.ID.Hex()}
		for _, f := range p.Flags {
			words = append(words, quote(f))
		}
		commands = append(commands, strings.Join(words, " "))
	}
	for _, v := range d.Program {
		switch v := v.(type) {
		case verbs.Gather:
			add(DTMF, v.OnData, "--digits="+"1234567890"[:min(v.MaxDigits, 10)])
		case verbs.Dial:
			if v.OnNoAnswer != "" {
				add(NoAnswer, v.OnNoAnswer, "--cause=noAnswer")
			}
		}
	}
	if url := d.Remember[sipgateio.OnAnswer]; url != "" {
		add(Answer, url, quote("--by="+p.picksUp()))
	}
	if url := d.Remember[sipgateio.OnHangup]; url != "" {
		add(Hangup, url, "--cause=normalClearing")
	}
	if len(commands) > 0 {
		fmt.Fprintf(out, "\nTo go on:\n  %s\n", strings.Join(commands, "\n  "))
	}
}
