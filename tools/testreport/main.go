// SPDX-License-Identifier: MIT

// Command testreport reads `go test -json` and prints a line for each package,
// what failed in full, and a total. It fails if a test failed, if none passed,
// or, with CALLWRIGHT_PEERS=1, if one was skipped. It counts tests that have no
// subtests.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is a line of `go test -json` (see `go doc test2json`).
type event struct {
	Action, Package, ImportPath, Test, Output string
	Elapsed                                   float64
}

// report is what was read so far. The keys are "package test"; the test is
// empty for what a package says itself.
type report struct {
	output  map[string][]string // of tests that have not ended
	parents map[string]bool     // tests that have subtests
	ends    map[string]int      // tests by how they ended, and by package
	strict  bool
	failed  bool
}

func main() {
	r := report{
		output: map[string][]string{}, parents: map[string]bool{}, ends: map[string]int{},
		strict: os.Getenv("CALLWRIGHT_PEERS") == "1",
	}
	err := r.read(os.Stdin)
	fmt.Printf("%d passed, %d failed, %d skipped\n", r.ends["pass"], r.ends["fail"], r.ends["skip"])
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
	}
	if err != nil || r.failed || r.ends["pass"] == 0 {
		os.Exit(1)
	}
}

func (r *report) read(stream io.Reader) error {
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Println(lines.Text()) // the go command itself has something to say
			continue
		}
		r.take(e)
	}
	return lines.Err()
}

func (r *report) take(e event) {
	key := e.Package + e.ImportPath + " " + e.Test
	switch e.Action {
	case "run":
		if at := strings.LastIndex(e.Test, "/"); at > 0 {
			r.parents[e.Package+" "+e.Test[:at]] = true
		}
	case "output", "build-output":
		r.output[key] = append(r.output[key], e.Output)
	case "build-fail":
		r.failed = true
		r.print(key)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endPackage(e)
		} else {
			r.endTest(e, key)
		}
	}
}

// endTest counts a test, and prints it if it should not have ended so.
func (r *report) endTest(e event, key string) {
	if e.Action == "fail" || e.Action == "skip" && r.strict {
		r.failed = true
		r.print(key)
	}
	delete(r.output, key)
	if !r.parents[key] {
		r.ends[e.Action]++
		r.ends[e.Package]++
	}
}

// endPackage prints a package's line. What is left of the output of one that
// failed is of tests that never ended: a panic, a time-out.
func (r *report) endPackage(e event) {
	if e.Action == "fail" {
		r.failed = true
		for key := range r.output {
			if strings.HasPrefix(key, e.Package+" ") {
				r.print(key)
			}
		}
	}
	delete(r.output, e.Package+" ")
	if e.Action != "skip" { // a package without tests
		name := strings.TrimPrefix(e.Package, "github.com/callwright/callwright/")
		fmt.Printf("%s %7.1f s %5d tests  %s\n", e.Action, e.Elapsed, r.ends[e.Package], name)
	}
}

// print shows the output of a test, once.
func (r *report) print(key string) {
	fmt.Print(strings.Join(r.output[key], ""))
	delete(r.output, key)
}
