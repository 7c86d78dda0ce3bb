// SPDX-License-Identifier: MIT

package lint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"syscall"

	"github.com/callwright/callwright/cmd/callwright/internal/dialects"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/webhook"
)

// Stdin is the name that stands for the standard input.
const Stdin = "-"

// File is a file and what is in it.
type File struct {
	// Name is what people see.
	Name string
	Report
}

// Linter reads files.
type Linter struct {
	Language dialects.Language
	// Call and Asked are what the documents answer to.
	Call  engine.CallInfo
	Asked engine.Event
	Stdin io.Reader
}

// Lint reads a file, for as long as ctx lasts. The error says why it could not
// be read.
func (l Linter) Lint(ctx context.Context, name string) (File, error) {
	body, err := l.await(ctx, name)
	if name == Stdin {
		name = "standard input"
	}
	f := File{Name: name}
	switch {
	case ctx.Err() != nil:
		return f, context.Cause(ctx)
	case err != nil:
		return f, unreadable(name, err)
	case len(body) > webhook.ReplyLimit:
		f.Problems = []engine.Problem{{Sentence: fmt.Sprintf(
			"the document is longer than %d KiB, and replies longer than that are not read: leave out what is not needed", webhook.ReplyLimit>>10)}}
		return f, nil
	case len(bytes.TrimSpace(body)) == 0:
		f.Problems = []engine.Problem{{Sentence: "the document is empty: write <Response/> when there is nothing to do"}}
		return f, nil
	}
	reply := engine.Reply{Status: http.StatusOK, Header: http.Header{"Content-Type": {l.Language.ContentType}}, Body: body}
	f.Report = Read(l.Language, l.Call, l.Asked, reply)
	return f, nil
}

// await reads a file. A terminal or a pipe may say nothing for ever, and cannot
// be made to return; the end of ctx leaves it at that.
func (l Linter) await(ctx context.Context, name string) ([]byte, error) {
	var body []byte
	var err error
	read := make(chan struct{})
	go func() {
		defer close(read)
		body, err = l.read(name)
	}()
	select {
	case <-read:
		return body, err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// read gives as much of a file as tells whether it is too long.
func (l Linter) read(name string) ([]byte, error) {
	from := l.Stdin
	if name != Stdin {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		from = file
	}
	return io.ReadAll(io.LimitReader(from, webhook.ReplyLimit+1))
}

// unreadable says what to do about a file that cannot be read.
func unreadable(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file %s", name)
	case errors.Is(err, syscall.EISDIR):
		return fmt.Errorf("%s is a folder: name the files in it, for example %s/*.xml", name, name)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s may not be read by this user", name)
	}
	return fmt.Errorf("read %s: %w", name, err)
}

// Print prints what people want to know.
func (f File) Print(out io.Writer) {
	f.PrintProblems(out, func(p engine.Problem) string {
		if p.Line == 0 {
			return f.Name + ": "
		}
		return fmt.Sprintf("%s:%d:%d: ", f.Name, p.Line, p.Column)
	})
	switch {
	case len(f.Document.Program) > 0 && len(f.Problems) > 0:
		fmt.Fprintf(out, "%s: %s; what is left:\n", f.Name, f.count())
	case len(f.Document.Program) > 0:
		fmt.Fprintf(out, "%s: %s\n", f.Name, f.count())
	default:
		fmt.Fprintf(out, "%s: %s; nothing to do: the call is left to the settings of its number\n", f.Name, f.count())
	}
	f.PrintProgram(out)
}

// shape is a File in JSON. Every key is always there.
type shape struct {
	File          string            `json:"file"`
	Problems      []problem         `json:"problems"`
	Program       []string          `json:"program"`
	Subscriptions map[string]string `json:"subscriptions"`
}

// problem is an engine.Problem all of whose keys are always there.
type problem struct {
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	Element   string `json:"element"`
	Attribute string `json:"attribute"`
	Sentence  string `json:"sentence"`
}

// PrintJSON prints files for programs.
func PrintJSON(out io.Writer, files []File) error {
	shapes := make([]shape, len(files))
	for i, f := range files {
		s := shape{File: f.Name, Problems: make([]problem, len(f.Problems)), Program: f.Program(), Subscriptions: map[string]string{}}
		for j, p := range f.Problems {
			s.Problems[j] = problem(p)
		}
		for name, url := range f.Document.Remember {
			s.Subscriptions[name] = url
		}
		shapes[i] = s
	}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(shapes); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
