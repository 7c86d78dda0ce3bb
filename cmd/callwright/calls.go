// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/excerpt"
	"github.com/callwright/callwright/cmd/callwright/internal/remote"
	"github.com/callwright/callwright/cmd/callwright/internal/timeline"
	"github.com/callwright/callwright/engine"
)

type callsCommand struct {
	ID    string `arg:"" optional:"" help:"The id of a call, or at least four characters of its beginning or end."`
	Limit int    `help:"How many calls are listed (${default})." default:"20" placeholder:"N"`
	JSON  bool   `name:"json" help:"Print for programs, as the API answers."`
	serverFlags
}

// Help teaches the command.
func (callsCommand) Help() string {
	return `Lists the newest calls of a running server, or shows one with all that happened on it: every SIP message, request, reply, verb and digit, and why it ended.

Examples:

  callwright calls
  callwright calls 4fe0a1b2
  callwright calls --limit 1000 --json
  callwright calls --server https://calls.example.com --token "$TOKEN"`
}

// Run lists calls, or shows one.
func (c callsCommand) Run(w *world) error {
	server, err := c.client(w)
	if err != nil {
		return err
	}
	defer server.Close()
	if c.ID != "" {
		return c.show(w, server)
	}
	calls, raw, err := server.Calls(w.ctx, c.Limit)
	switch {
	case err != nil:
		return err
	case c.JSON:
		return printJSON(w.out, raw)
	case len(calls) == 0:
		_, err = fmt.Fprintln(w.out, "There was no call yet. Make one: callwright call")
		return err
	}
	table := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STARTED\tID\tDIRECTION\tFROM\tTO\tSTATE\tCAUSE\tDURATION")
	for _, r := range calls {
		fmt.Fprintln(table, strings.Join([]string{
			r.StartedAt.Local().Format(time.DateTime), remote.Short(r.ID), string(r.Direction), excerpt.Plain(r.From), excerpt.Plain(r.To),
			string(r.State), string(r.Cause), duration(r),
		}, "\t"))
	}
	return table.Flush()
}

func (c callsCommand) show(w *world, server *remote.Client) error {
	id, err := server.Find(w.ctx, c.ID)
	if err != nil {
		return err
	}
	call, raw, err := server.Call(w.ctx, id)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(w.out, raw)
	}
	printCall(w.out, call)
	lines := timeline.Since(call.StartedAt, w.out)
	for _, e := range call.Timeline {
		lines.Event(remote.Short(call.ID), e)
	}
	return nil
}

// printCall says in two lines what became of a call.
func printCall(out io.Writer, call remote.Detail) {
	fmt.Fprintf(out, "call %s\n", call.ID)
	fmt.Fprintf(out, "%s from %s to %s on %s: %s", call.Direction, excerpt.Plain(call.From), excerpt.Plain(call.To),
		call.StartedAt.Local().Format(time.DateTime), call.State)
	if call.Cause != "" {
		fmt.Fprintf(out, ", %s", call.Cause)
	}
	if call.AnsweredAt != nil {
		fmt.Fprintf(out, ", %s of talk", duration(call.Call))
	}
	fmt.Fprint(out, "\n\n")
}

// duration is how long the parties talked.
func duration(c remote.Call) string {
	if c.AnsweredAt == nil {
		return "-"
	}
	end := time.Now()
	if c.EndedAt != nil {
		end = *c.EndedAt
	}
	return end.Sub(*c.AnsweredAt).Truncate(time.Second).String()
}

// printJSON prints what a server answered, with line breaks.
func printJSON(out io.Writer, raw json.RawMessage) error {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	_, err := fmt.Fprintln(out, b.String())
	return err
}

type tailCommand struct {
	ID   string `arg:"" optional:"" help:"The id of a call, or at least four characters of its beginning or end; otherwise all calls."`
	JSON bool   `name:"json" help:"Print for programs: each event as one line of JSON."`
	serverFlags
}

// Help teaches the command.
func (tailCommand) Help() string {
	return `Prints what happens on the calls of a running server, as it happens, until Ctrl-C. Of a single call it prints what happened so far, too. When the server goes away it waits for it to come back, and goes on without a gap.

Examples:

  callwright tail
  callwright tail 4fe0a1b2
  callwright tail --json | jq 'select(.kind == "problem")'`
}

// Run follows what happens.
func (t tailCommand) Run(w *world) error {
	server, err := t.client(w)
	if err != nil {
		return err
	}
	defer server.Close()
	print := t.printer(w)
	away := absence{out: w.err}
	stream := remote.Stream{Give: print, Lost: away.lost, Began: away.back}
	if t.ID != "" {
		if stream.Only, err = server.Find(w.ctx, t.ID); err != nil {
			return err
		}
		seen := 0
		stream.Began = func() error {
			return cmp.Or(away.back(), catchUp(w.ctx, server, stream.Only, &seen, print))
		}
		stream.Give = func(e engine.Event, raw json.RawMessage) error {
			if e.Seq <= seen {
				return nil
			}
			seen = e.Seq
			return print(e, raw)
		}
	}
	return server.Follow(w.ctx, stream)
}

// absence tells people that a server went away, and that it is back: once each,
// however often it is tried.
type absence struct {
	out  io.Writer
	said string
}

func (a *absence) lost(why error) {
	if a.said != why.Error() {
		a.said = why.Error()
		fmt.Fprintf(a.out, "callwright: %s; trying again\n", a.said)
	}
}

func (a *absence) back() error {
	if a.said != "" {
		a.said = ""
		fmt.Fprintln(a.out, "callwright: the server is back")
	}
	return nil
}

// printer prints an event.
func (t tailCommand) printer(w *world) func(engine.Event, json.RawMessage) error {
	lines := timeline.Clock(w.out)
	return func(e engine.Event, raw json.RawMessage) error {
		if t.JSON {
			_, err := fmt.Fprintln(w.out, string(raw))
			return err
		}
		lines.Event(remote.Short(e.Call), e)
		return nil
	}
}

// catchUp prints what happened on a call before it was followed, or while the
// server could not be reached.
func catchUp(ctx context.Context, server *remote.Client, id engine.ID, seen *int, print func(engine.Event, json.RawMessage) error) error {
	call, _, err := server.Call(ctx, id)
	if err != nil {
		return err
	}
	for _, e := range call.Timeline {
		if e.Seq <= *seen {
			continue
		}
		*seen = e.Seq
		raw, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("write an event: %w", err)
		}
		if err := print(e, raw); err != nil {
			return err
		}
	}
	return nil
}
