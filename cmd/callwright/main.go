// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/callwright/callwright/cmd/callwright/internal/server"
)

// commands is what can be said on the command line.
type commands struct {
	Serve   serveCommand   `cmd:"" group:"Serve" help:"Answer calls. Without a configuration a sample app answers, to callers on private networks."`
	Migrate migrateCommand `cmd:"" group:"Serve" help:"Bring the tables of the database up to date, and end."`

	Demo demoCommand `cmd:"" group:"Try it" help:"Run one call from end to end on this machine, print what happens, and exit."`
	Call callCommand `cmd:"" group:"Try it" help:"Place a call with a test phone, watch it, and see what it heard."`

	Send sendCommand `cmd:"" group:"Write an app" help:"Send an app what a call would, and check what it answers."`
	Lint lintCommand `cmd:"" group:"Write an app" help:"Check documents: what is wrong in which line, and what they would do."`

	Calls callsCommand `cmd:"" group:"Look into a server" help:"List the calls of a running server, or show one with all that happened."`
	Tail  tailCommand  `cmd:"" group:"Look into a server" help:"Print what happens on the calls of a running server as it happens."`

	Completion completionCommand `cmd:"" group:"Other" help:"Print the script that has a shell complete command lines."`
	Complete   completeCommand   `cmd:"" hidden:"" help:"Print the words that may come next."`
	Version    versionCommand    `cmd:"" group:"Other" help:"Print the version."`
}

// world is what commands have of their surroundings.
type world struct {
	ctx         context.Context
	in          io.Reader
	out, err    io.Writer
	environment []string
}

// logger gives the log of a command at a level.
func (w *world) logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w.err, &slog.HandlerOptions{Level: level}))
}

func main() {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // under nohup the terminal may close
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	// Who reads what is printed may end first, like head, or tee at Ctrl-C. This
	// signal would have calls left standing.
	signal.Ignore(syscall.SIGPIPE)
	ctx, cancel := context.WithCancelCause(ctx)
	out := &output{os.Stdout, cancel}
	server.Tune()
	os.Exit(run(&world{ctx: ctx, in: os.Stdin, out: out, err: os.Stderr, environment: os.Environ()}, os.Args[1:]))
}

// output is written to for as long as somebody reads it; after that there is
// nothing more to do.
type output struct {
	io.Writer
	unread context.CancelCauseFunc
}

// Write writes.
func (o *output) Write(b []byte) (int, error) {
	n, err := o.Writer.Write(b)
	if errors.Is(err, syscall.EPIPE) {
		o.unread(err)
	}
	return n, err
}

// exit is the exit status of a command that has said all there is to say.
type exit int

// Error names the status.
func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// firstSteps is the short way to a first call.
const firstSteps = `callwright answers phone calls and lets a web application decide what happens on them.

See one whole call on this machine:
  callwright demo

Or make your own, with these in three terminals:
  callwright serve
  callwright tail
  callwright call --digits 1234

Then write an app:
  callwright send newCall http://localhost:3000     asks it what a call would
  callwright lint menu.xml                          checks a document
  callwright serve --app http://localhost:3000      has it answer calls

callwright --help lists all commands; callwright COMMAND --help has examples of each.
`

// run carries out a command line and gives the exit status: 0 when all is well,
// 1 when the command failed, 2 when the command line cannot be understood.
func run(w *world, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(w.out, firstSteps)
		return 0
	}
	status := -1
	parser, err := kong.New(&commands{}, kong.Name("callwright"),
		kong.Description("callwright answers phone calls and lets a web application decide what happens on them."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"default_from": defaultFrom, "default_to": defaultTo},
		kong.Writers(w.out, w.err), kong.Exit(func(code int) { status = code }),
	)
	if err != nil {
		fmt.Fprintln(w.err, "callwright:", err)
		return 1
	}
	command, err := parser.Parse(args)
	if status >= 0 { // --help was answered
		return status
	}
	if err != nil {
		parser.Errorf("%s", err)
		fmt.Fprintln(w.err, "Run callwright --help to see what can be said.")
		return 2
	}
	err = command.Run(w)
	var said exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &said):
		return int(said)
	case errors.Is(err, syscall.EPIPE): // nobody reads any more
		return 1
	}
	fmt.Fprintln(w.err, "callwright:", err)
	return 1
}

type versionCommand struct{}

// Help teaches the command.
func (versionCommand) Help() string { return "Example:\n\n  callwright version" }

// Run prints the version.
func (versionCommand) Run(w *world) error {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	_, err := fmt.Fprintln(w.out, "callwright", version)
	return err
}
