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

// TestTheMapOfTheEngine wants every file of the engine, of which there are many, to
// be named in its doc.go, and no other.
func TestTheMapOfTheEngine(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("engine/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{"doc.go": true}
	for _, name := range regexp.MustCompile(`\b[a-z]+\.go\b`).FindAllString(string(text), -1) {
		if _, err := os.Stat("engine/" + name); err != nil {
			t.Errorf("engine/doc.go names %s, which is not there", name)
		}
		named[name] = true
	}
	for _, name := range goFiles(t) {
		if path.Dir(name) == "engine" && !strings.HasSuffix(name, "_test.go") && !named[path.Base(name)] {
			t.Errorf("engine/doc.go does not say what %s is for: add it to a row", name)
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

// TestReadmeShowsTheExamplesAsTheyAre wants each block of code in the README to
// stand in the example of its language.
func TestReadmeShowsTheExamplesAsTheyAre(t *testing.T) {
	t.Parallel()
	readme := read(t, "README.md")
	for language, file := range map[string]string{"go": "examples/go/main.go", "python": "examples/python/app.py", "js": "examples/node/app.js"} {
		blocks := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(readme, -1)
		if len(blocks) == 0 {
			t.Errorf("README.md shows no %s", language)
		}
		for _, block := range blocks {
			if !strings.Contains(read(t, file), block[1]) {
				t.Errorf("README.md shows what is not in %s:\n%s", file, block[1])
			}
		}
	}
}

// TestReadmeNamesEverySetting wants every key of the configuration that has an
// effect in the README.
func TestReadmeNamesEverySetting(t *testing.T) {
	t.Parallel()
	readme := read(t, "README.md")
	keys := regexp.MustCompile("`koanf:\"([a-z_]+)\"`").FindAllStringSubmatch(
		read(t, "cmd/callwright/internal/config/config.go")+read(t, "cmd/callwright/internal/config/objects.go"), -1)
	if len(keys) < 30 {
		t.Fatalf("found %d keys in the structs of config", len(keys))
	}
	for _, key := range keys {
		if !regexp.MustCompile("[`.]" + key[1] + "[`.\\[]").MatchString(readme) {
			t.Errorf("README.md does not say what %s is", key[1])
		}
	}
}

// TestLinksLeadSomewhere looks at the links between files.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	links := 0
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "node_modules" { // what npm put there is not ours
			return filepath.SkipDir
		}
		if err != nil || d.IsDir() || filepath.Ext(name) != ".md" {
			return err
		}
		for _, link := range regexp.MustCompile(`\]\(([^)#:]+)[^):]*\)`).FindAllStringSubmatch(read(t, name), -1) {
			links++
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), filepath.FromSlash(link[1]))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		return nil
	})
	if err != nil || links == 0 {
		t.Errorf("looked at %d links: %v", links, err)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
