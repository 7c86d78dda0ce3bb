// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"fmt"

	"github.com/callwright/callwright/cmd/callwright/internal/dialects"
	"github.com/callwright/callwright/cmd/callwright/internal/lint"
	"github.com/callwright/callwright/engine"
)

type lintCommand struct {
	Files     []string `arg:"" name:"file" help:"Documents; - is the standard input."`
	Dialect   string   `help:"The language of the documents: ${enum}." enum:"sipgate" default:"sipgate"`
	Answers   string   `help:"The request that they answer: ${enum}." enum:"newCall,dtmf,noAnswer" default:"newCall"`
	Direction string   `help:"Which way the call goes: ${enum}. A user's own call (out) rings one number only." enum:"in,out" default:"in"`
	JSON      bool     `name:"json" help:"Print for programs: an array with file, problems, program and subscriptions."`
}

// Help teaches the command.
func (lintCommand) Help() string {
	return `Reads documents as a call would, and says in which line and column a mistake is and what to change. Beneath it stands what the program would do.

The exit status is 0 when there is nothing to complain about, 1 when there is, and 2 when a file cannot be read.

Examples:

  callwright lint menu.xml
  callwright lint --json *.xml
  curl -d event=newCall localhost:3000 | callwright lint -`
}

// Run reads the files.
func (l lintCommand) Run(w *world) error {
	asked := engine.EventIncoming
	switch l.Answers {
	case "dtmf":
		asked = engine.EventGathered
	case "noAnswer":
		asked = engine.EventUnanswered
	}
	linter := lint.Linter{
		Language: dialects.All()[l.Dialect], Stdin: w.in, Asked: engine.Event{Kind: asked},
		Call: engine.CallInfo{Record: engine.Record{Direction: engine.Direction(l.Direction)}},
	}
	var files []lint.File
	found, unread := false, false
	for _, name := range l.Files {
		file, err := linter.Lint(w.ctx, name)
		switch {
		case w.ctx.Err() != nil:
			return context.Cause(w.ctx)
		case err != nil:
			unread = true
			fmt.Fprintln(w.err, "callwright:", err)
			continue
		}
		found = found || len(file.Problems) > 0
		files = append(files, file)
		if !l.JSON {
			file.Print(w.out)
		}
	}
	if l.JSON {
		if err := lint.PrintJSON(w.out, files); err != nil {
			return err
		}
	}
	switch {
	case unread:
		return exit(2)
	case found:
		return exit(1)
	}
	return nil
}
