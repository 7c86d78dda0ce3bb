// SPDX-License-Identifier: MIT

package callwright_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// goFiles names every Go file of the repository, with slashes, from its root.
func goFiles(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin"):
			return filepath.SkipDir
		case !d.IsDir() && strings.HasSuffix(name, ".go"):
			names = append(names, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil || len(names) == 0 {
		t.Fatalf("found %d Go files: %v", len(names), err)
	}
	return names
}

// TestEveryPackageSaysWhatItIs wants a doc.go of at most 25 lines in each package:
// what it is, what it never does, which file to read first. A command may say
// it where its main is.
func TestEveryPackageSaysWhatItIs(t *testing.T) {
	t.Parallel()
	packages := map[string]string{} // folder → package name
	for _, name := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		packages[path.Dir(name)] = file.Name.Name
	}
	for folder, pkg := range packages {
		name := path.Join(folder, "doc.go")
		if _, err := os.Stat(name); err != nil && pkg == "main" {
			name = path.Join(folder, "main.go")
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Errorf("%s: every package has a doc.go: %v", folder, err)
			continue
		}
		text := file.Doc.Text()
		first := "Package " + pkg + " "
		if pkg == "main" {
			first = "Command "
		}
		if !strings.HasPrefix(text, first) {
			t.Errorf("%s: the package comment begins with %q, not with %q", name, strings.SplitN(text, "\n", 2)[0], first)
		}
		if lines := strings.Count(text, "\n") + 3; lines > 25 { // with the licence and the package clause
			t.Errorf("%s has %d lines, want at most 25", name, lines)
		}
	}
}

// unfinished is what a file must not say. The words are put together here so
// that this file does not say them.
var unfinished = regexp.MustCompile(`\b(` + "TO" + `DO|` + "FIX" + `ME|` + "XX" + `X)\b|` + "not " + `implemented`)

// TestEveryFile wants the licence in the first line and no promise of later
// work: what is not done yet stands in an issue.
func TestEveryFile(t *testing.T) {
	t.Parallel()
	for _, name := range goFiles(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), "// SPDX-License-Identifier: MIT\n") {
			t.Errorf("%s does not begin with the licence line", name)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if found := unfinished.FindString(line); found != "" {
				t.Errorf("%s:%d says %q", name, i+1, found)
			}
		}
	}
}
