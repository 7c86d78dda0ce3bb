// SPDX-License-Identifier: MIT

package sipgateio

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/engine"
)

var update = flag.Bool("update", false, "write what is parsed into the golden files")

const (
	goldenFiles = "../testdata/sipgateio/*.txt"
	dashes      = "----------\n"
)

// golden is one file: settings of the reply, if any, and what was replied,
// dashes, and what is made of it.
type golden struct {
	input    string // with the settings
	expected string

	settings map[string]string
	body     string
}

func readGolden(t testing.TB, path string) golden {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.LastIndex(string(b), dashes)
	if at < 0 {
		t.Fatalf("%s has no line of dashes", path)
	}
	g := golden{input: string(b[:at]), expected: string(b[at+len(dashes):]), settings: map[string]string{}}
	head, body, found := strings.Cut(g.input, dashes)
	if !found {
		head, body = "", g.input
	}
	g.body = body
	for line := range strings.Lines(head) {
		name, value, _ := strings.Cut(line, ":")
		g.settings[name] = strings.TrimSpace(value)
	}
	return g
}

func (g golden) parse() (engine.Document, []engine.Problem) {
	contentType := "application/xml"
	if value, ok := g.settings["Content-Type"]; ok {
		contentType = value
	}
	return parse(g.body, contentType, g.settings["Direction"])
}

// parse reads a reply to a newCall.
func parse(body, contentType, direction string) (engine.Document, []engine.Problem) {
	call := engine.CallInfo{Record: engine.Record{Direction: engine.Direction(direction)}}
	reply := engine.Reply{
		URL: "http://user:secret@127.0.0.1:3000/new?call=1", Status: http.StatusOK,
		Header: http.Header{}, Body: []byte(body),
	}
	if contentType != "" {
		reply.Header.Set("Content-Type", contentType)
	}
	return New(nil).Parse(call, engine.Event{Kind: engine.EventIncoming}, reply)
}

// show writes a line for each verb, each thing to remember and each problem.
func show(t testing.TB, d engine.Document, problems []engine.Problem) string {
	t.Helper()
	var b strings.Builder
	for _, v := range d.Program {
		var fields bytes.Buffer
		e := json.NewEncoder(&fields)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%T", v)
		fmt.Fprintf(&b, "%s %s", name[strings.LastIndex(name, ".")+1:], &fields)
	}
	for _, k := range slices.Sorted(maps.Keys(d.Remember)) {
		fmt.Fprintf(&b, "remember %s %s\n", k, d.Remember[k])
	}
	for _, p := range problems {
		about := strings.TrimSuffix(p.Element+"@"+p.Attribute, "@")
		fmt.Fprintf(&b, "problem %d:%d %s: %s\n", p.Line, p.Column, about, p.Sentence)
	}
	return b.String()
}

func TestParseGolden(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob(goldenFiles)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files at %s (%v)", goldenFiles, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			t.Parallel()
			g := readGolden(t, path)
			d, problems := g.parse()
			got := show(t, d, problems)
			if *update {
				if err := os.WriteFile(path, []byte(g.input+dashes+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(g.expected, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
