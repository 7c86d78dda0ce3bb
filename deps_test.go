// SPDX-License-Identifier: MIT

package callwright_test

import (
	"go/parser"
	"go/token"
	"path"
	"strconv"
	"strings"
	"testing"
)

// module is our own import path.
const module = "github.com/callwright/callwright"

// rooms are the folders of the house and, of our own packages, what those in
// them may import; a folder with a slash at the end means everything under it.
// The first room that a package is in counts. What is not named is forbidden.
var rooms = []struct {
	room string
	may  []string
}{
	{"cmd/", []string{"cmd/", "transport/", "store/", "verbs/", "engine", "directory", "media/", "migrations/", "examples/reception", "internal/"}},
	{"transport/sip/", []string{"transport/sip/", "engine", "directory", "media/"}},
	{"transport/webhook/", []string{"transport/webhook/", "engine", "directory", "media/", "internal/"}},
	{"transport/speech/", []string{"transport/speech/", "engine", "media/", "internal/"}},
	{"transport/api/", []string{"transport/api/", "engine", "directory", "media", "internal/"}},
	{"store/", []string{"store/", "engine", "directory", "media", "migrations/"}},
	{"verbs/", []string{"verbs/", "engine", "engine/phrases", "directory", "media", "internal/"}},
	{"engine/", []string{"engine/", "directory", "media"}},
	{"directory", nil},
	{"media/", []string{"media/"}},
	{"migrations/", nil},
	{"examples/", nil},
	{"internal/", []string{"internal/"}},
	{"test/", []string{"internal/"}},
}

// libraries are the foreign modules in use, and the rooms they may be used in.
var libraries = []struct {
	library string
	rooms   []string
	why     string
}{
	{"github.com/emiago/sipgo", []string{"transport/sip/dialog/", "transport/sip/digest/", "transport/sip/registrar/", "transport/sip/stream/"}, "messages are dialog's; who makes legs of calls knows none"},
	{"github.com/icholy/digest", []string{"transport/sip/dialog/", "transport/sip/digest/"}, "who is asked answers in dialog, and who asks is digest"},
	{"github.com/pion/sdp", []string{"transport/sip/sdp/"}, "session descriptions are sdp's"},
	{"github.com/miekg/dns", []string{"transport/sip/resolve/"}, "others resolve names as the system does"},
	{"github.com/gobwas/ws", []string{"transport/sip/stream/"}, "WebSockets are SIP connections only"},
	{"github.com/labstack/echo", []string{"transport/api/"}, "it must be replaceable in one folder"},
	{"github.com/golang-jwt/jwt", []string{"transport/api/sipgate/"}, "bearer tokens are sipgate's"},
	{"github.com/beevik/etree", []string{"verbs/"}, "documents are read by dialects"},
	{"github.com/zaf/g711", []string{"media/codec/"}, "it allocates on each call; media/codec has its tables"},
	{"github.com/pion/rtp", []string{"media/", "transport/sip/phone/"}, "packets stay inside media, and in the test phone"},
	{"github.com/pion/srtp", []string{"media/srtp/"}, "packets are encrypted in one place"},
	{"github.com/pion/rtcp", []string{"media/rtcp/"}, "reports are put together and taken apart in one place"},
	{"modernc.org/sqlite", []string{"store/sqlite/"}, "each database has one room"},
	{"github.com/jackc/pgx", []string{"store/postgres/"}, "each database has one room"},
	{"github.com/pressly/goose", []string{"store/"}, "migrations are run by the stores"},
	{"github.com/alecthomas/kong", []string{"cmd/"}, "flags are read in cmd"},
	{"github.com/knadh/koanf", []string{"cmd/"}, "configuration is read in cmd"},
	{"github.com/go-viper/mapstructure", []string{"cmd/"}, "configuration is read in cmd"},
	{"go.yaml.in/yaml", []string{"cmd/"}, "configuration is read in cmd"},
	{"go.yaml.in/yaml", []string{"cmd/"}, "configuration is read in cmd"},
	{"golang.org/x", []string{"cmd/", "transport/", "store/", "verbs/", "engine/", "media/"}, "the examples use the standard library only"},
	// Test libraries, in the packages that only tests import.
	{"github.com/google/go-cmp", []string{"engine/enginetest/", "store/storetest/"}, "it is for tests"},
	{"go.uber.org/goleak", []string{"engine/enginetest/", "store/storetest/"}, "it is for tests"},
}

// within says whether a folder is the room, or under a room that ends in a
// slash.
func within(folder, room string) bool {
	return folder+"/" == room || folder == room || strings.HasSuffix(room, "/") && strings.HasPrefix(folder, room)
}

func withinAny(folder string, rooms []string) bool {
	for _, room := range rooms {
		if within(folder, room) {
			return true
		}
	}
	return false
}

// TestWhoMayImportWhom holds the direction of dependencies: cmd →
// {transport, store, verbs} → engine → {directory, media}, and libraries in their
// rooms. Files that are tests may import what they like.
func TestWhoMayImportWhom(t *testing.T) {
	t.Parallel()
	edges := 0
	for _, name := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			edges++
			if problem := checkImport(path.Dir(name), imported); problem != "" {
				t.Errorf("%s: %s", name, problem)
			}
		}
	}
	if edges == 0 {
		t.Error("no import was looked at")
	}
}

// checkImport says what is wrong with an import; empty when nothing is.
func checkImport(folder, imported string) string {
	if ours, ok := strings.CutPrefix(imported, module+"/"); ok {
		for _, r := range rooms {
			if within(folder, r.room) {
				if withinAny(ours, r.may) {
					return ""
				}
				return r.room + " may import " + strings.Join(r.may, ", ") + " of ours, not " + ours
			}
		}
		return folder + " is in none of the rooms of deps_test.go"
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return "" // the standard library
	}
	for _, l := range libraries {
		if imported == l.library || strings.HasPrefix(imported, l.library+"/") {
			if withinAny(folder, l.rooms) {
				return ""
			}
			return imported + " is for " + strings.Join(l.rooms, ", ") + " only: " + l.why
		}
	}
	return imported + " has no room yet: add it to deps_test.go, with the reason"
}

// TestTheLawItself makes sure that the law can be broken.
func TestTheLawItself(t *testing.T) {
	t.Parallel()
	tests := []struct {
		folder, imported string
		allowed          bool
	}{
		{"engine", module + "/media", true},
		{"engine", module + "/media/codec", false},
		{"engine", module + "/directory", true},
		{"directory", module + "/engine", false},
		{"directory", module + "/media", false},
		{"media/plane", module + "/directory", false},
		{"engine", module + "/verbs", false},
		{"engine/enginetest", module + "/engine", true},
		{"verbs/sipgateio", module + "/verbs", true},
		{"verbs/sipgateio", module + "/transport/webhook", false},
		{"transport/sip", module + "/transport/api", false},
		{"transport/webhook", module + "/store", false},
		{"store/sqlite", module + "/transport/api", false},
		{"media", module + "/engine", false},
		{"media/plane", module + "/media/codec", true},
		{"examples/reception", module + "/engine", false},
		{"cmd/callwright", module + "/transport/sip", true},
		{"shed", module + "/media", false},
		{"engine", "github.com/emiago/sipgo", false},
		{"engine", "github.com/emiago/sipgo/sip", false},
		{"transport/sip/dialog", "github.com/emiago/sipgo/sip", true},
		{"transport/api/admin", "github.com/labstack/echo/v4", true},
		{"transport/webhook", "github.com/labstack/echo/v4", false},
		{"examples/go", "golang.org/x/net/html", false},
		{"engine", "example.com/new", false},
		{"engine", "encoding/json", true},
	}
	for _, tc := range tests {
		if problem := checkImport(tc.folder, tc.imported); (problem == "") != tc.allowed {
			t.Errorf("%s imports %s: allowed = %t, want %t (%s)", tc.folder, tc.imported, problem == "", tc.allowed, problem)
		}
	}
}
