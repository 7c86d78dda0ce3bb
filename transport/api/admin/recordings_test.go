// SPDX-License-Identifier: MIT

package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/api/admin"
)

// reels are recordings in memory, and files in a folder.
type reels struct {
	kept   []engine.Recording // the newest first
	asked  engine.RecordingFilter
	limit  int
	done   []string
	err    error // of reading
	failed error // of changing
	folder string
}

func (r *reels) Recordings(_ context.Context, f engine.RecordingFilter, limit int, cursor string) ([]engine.Recording, string, error) {
	r.asked, r.limit = f, limit
	if cursor != "" && cursor != "next" {
		return nil, "", fs.ErrInvalid
	}
	var found []engine.Recording
	for _, one := range r.kept {
		if f.ID.IsZero() || f.ID == one.ID {
			found = append(found, one)
		}
	}
	if len(found) > limit {
		return found[:limit], "next", r.err
	}
	return found, "", r.err
}

func (r *reels) MarkRecording(_ context.Context, account string, id engine.ID, heard bool) error {
	r.done = append(r.done, fmt.Sprintf("mark %s of %s heard: %t", id, account, heard))
	return r.failed
}

func (r *reels) DeleteRecording(_ context.Context, account string, id engine.ID) error {
	r.done = append(r.done, fmt.Sprintf("delete %s of %s", id, account))
	return r.failed
}

// message and conversation are recordings.
const (
	message      = "0199aa00-0000-7000-8000-000000000001"
	conversation = "0199aa00-0000-7000-8000-000000000002"
	ofCall       = "0199aa00-0000-7000-8000-0000000000ca"
	sound        = "RIFF and some sound"
)

// newReels gives a message that was not heard and a conversation, each with its
// file.
func newReels(t *testing.T) (*reels, string) {
	t.Helper()
	r := &reels{folder: t.TempDir()}
	began := time.Date(2026, 3, 1, 14, 0, 0, 0, time.FixedZone("", 3600))
	heard := began.Add(time.Hour)
	caller := directory.Address{Kind: directory.KindNumber, Value: "+4915112345678", Name: "Bob"}
	r.kept = []engine.Recording{
		{ID: id(t, message), Account: "acme", Kind: engine.RecordingMessage, Call: id(t, ofCall), Box: "w0", From: caller,
			To: directory.NumberAddress("+4921112345"), File: "a.wav", StartedAt: began, Duration: 4160 * time.Millisecond},
		{ID: id(t, conversation), Account: "default", Kind: engine.RecordingCall, Call: id(t, ofCall), From: directory.Anonymous(),
			To: directory.NumberAddress("+4921112345"), File: "b.wav", StartedAt: began, HeardAt: &heard},
	}
	for _, name := range []string{"a.wav", "b.wav"} {
		if err := os.WriteFile(filepath.Join(r.folder, name), []byte(sound), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, url := serve(t, admin.Config{Recordings: r, Keeper: r, Folder: r.folder})
	return r, url + "/recordings"
}

func TestListRecordings(t *testing.T) {
	t.Parallel()
	r, url := newReels(t)
	const (
		first  = `{"id":"` + message + `","account":"acme","kind":"voicemail","call":"` + ofCall + `","box":"w0","from":"+4915112345678","from_name":"Bob","to":"+4921112345","file":"a.wav","started_at":"2026-03-01T13:00:00Z","duration_ms":4160,"heard_at":null}`
		second = `{"id":"` + conversation + `","account":"default","kind":"call","call":"` + ofCall + `","box":null,"from":"anonymous","from_name":null,"to":"+4921112345","file":"b.wav","started_at":"2026-03-01T13:00:00Z","duration_ms":0,"heard_at":"2026-03-01T14:00:00Z"}`
	)
	for path, want := range map[string]string{
		"":                                  `{"recordings":[` + first + `,` + second + `],"next":null}`,
		"?limit=1":                          `{"recordings":[` + first + `],"next":"next"}`,
		"/" + message:                       first,
		"/0199AA00000070008000000000000002": second,
	} {
		status, body := get(t, url+path)
		var got, wanted any
		if err := errors.Join(json.Unmarshal(body, &got), json.Unmarshal([]byte(want), &wanted)); err != nil || status != 200 {
			t.Fatalf("%s: got %d %s, %v", path, status, body, err)
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	get(t, url+"?account=acme&kind=voicemail&box=w0&call="+ofCall+"&limit=7")
	want := engine.RecordingFilter{Account: "acme", Kind: engine.RecordingMessage, Box: "w0", Call: id(t, ofCall)}
	if r.asked != want || r.limit != 7 {
		t.Errorf("asked for %+v, %d", r.asked, r.limit)
	}
	r.kept = nil
	if _, body := get(t, url); string(body) != `{"next":null,"recordings":[]}`+"\n" {
		t.Errorf("none are %s", body)
	}
}

// fetch gets a sound, or a part of it.
func fetch(t *testing.T, url, part string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	r.Header.Set("Authorization", "Bearer "+token)
	if part != "" {
		r.Header.Set("Range", part)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(body)
}

func TestPlayRecording(t *testing.T) {
	t.Parallel()
	r, url := newReels(t)
	audio := url + "/" + message + "/audio"
	status, header, body := fetch(t, audio, "")
	if status != 200 || body != sound || header.Get("Content-Type") != "audio/wav" || header.Get("Content-Disposition") != `inline; filename="`+message+`.wav"` {
		t.Errorf("got %d %q with %v", status, body, header)
	}
	status, header, body = fetch(t, audio, "bytes=5-7")
	if want := fmt.Sprintf("bytes 5-7/%d", len(sound)); status != 206 || body != "and" || header.Get("Content-Range") != want {
		t.Errorf("a part is %d %q, %s, want %s", status, body, header.Get("Content-Range"), want)
	}
	if status, _, _ = fetch(t, audio, "bytes=99-"); status != 416 {
		t.Errorf("a part that is not there is %d", status)
	}
	fetch(t, audio+"?heard=false", "")
	if len(r.done) > 0 {
		t.Errorf("a message that was looked at: %v", r.done)
	}
	status, _, body = fetch(t, audio+"?heard=true", "")
	fetch(t, url+"/"+conversation+"/audio?heard=true", "") // not a message
	want := []string{"mark " + message + " of acme heard: true"}
	if diff := cmp.Diff(want, r.done); diff != "" || status != 200 || body != sound {
		t.Errorf("got %d %q; done (-want +got):\n%s", status, body, diff)
	}
}

// Whatever is kept as the name of a file, nothing outside of the folder is read.
func TestRecordingsStayInTheirFolder(t *testing.T) {
	t.Parallel()
	r, url := newReels(t)
	outside := filepath.Join(t.TempDir(), "secret.wav")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Symlink(outside, filepath.Join(r.folder, "link.wav")), os.Mkdir(filepath.Join(r.folder, "folder.wav"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{
		outside: 404, "../" + filepath.Base(filepath.Dir(outside)) + "/secret.wav": 404, "link.wav": 500, "folder.wav": 500, "": 500, "..": 500, "gone.wav": 404,
	} {
		r.kept[0].File = name
		status, _, body := fetch(t, url+"/"+message+"/audio", "")
		if status != want || strings.Contains(body, "secret") && want == 500 || body == "secret" {
			t.Errorf("the file %q is %d %s, want %d", name, status, body, want)
		}
	}
}

func TestChangeRecordings(t *testing.T) {
	t.Parallel()
	r, url := newReels(t)
	path := fmt.Errorf("delete: %w", &fs.PathError{Op: "remove", Path: "/srv/a.wav", Err: syscall.EACCES})
	for _, test := range []struct {
		method, path, body string
		failed             error
		status             int
		says, done         string
	}{
		{"PUT", message + "/heard", `{"heard":true}`, nil, 204, "", "mark " + message + " of acme heard: true"},
		{"PUT", message + "/heard", `{"heard":false}`, nil, 204, "", "mark " + message + " of acme heard: false"},
		{"DELETE", message, "", nil, 204, "", "delete " + message + " of acme"},
		{"DELETE", conversation, "", nil, 204, "", "delete " + conversation + " of default"},
		{"DELETE", message, "", fs.ErrNotExist, 404, "there is no recording " + message, "delete " + message + " of acme"},
		{"DELETE", message, "", errors.New("away"), 503, "the database is away", "delete " + message + " of acme"},
		{"DELETE", message, "", path, 500, "its log says why", "delete " + message + " of acme"},
		{"PUT", message + "/heard", `{"heard":true}`, errors.New("away"), 503, "the database is away", "mark " + message + " of acme heard: true"},
		{"PUT", conversation + "/heard", `{"heard":true}`, nil, 409, "only messages of a voicemail are marked as heard", ""},
		{"PUT", message + "/heard", `{}`, nil, 400, "heard must be true or false", ""},
		{"PUT", message + "/heard", `{"heard":null}`, nil, 400, "heard must be true or false", ""},
		{"PUT", message + "/heard", `{"heard":"yes"}`, nil, 400, "heard must be true or false", ""},
		{"PUT", message + "/heard", `{"herd":true}`, nil, 400, `there is no field "herd": did you mean "heard"?`, ""},
		{"PUT", ofCall + "/heard", `{"heard":true}`, nil, 404, "there is no recording " + ofCall, ""},
		{"DELETE", ofCall, "", nil, 404, "there is no recording " + ofCall, ""},
		{"DELETE", "x", "", nil, 404, `there is no recording "x"; an id is 32 hexadecimal digits`, ""},
		{"DELETE", "00000000000000000000000000000000", "", nil, 404, `there is no recording "0000`, ""},
		{"GET", message + "/audio?heard=yes", "", nil, 400, `heard is "yes"; write true`, ""},
		{"GET", ofCall + "/audio", "", nil, 404, "there is no recording " + ofCall, ""},
		{"GET", "?kind=fax", "", nil, 400, `kind is "fax"; write call, voicemail or greeting`, ""},
		{"GET", "?call=x", "", nil, 400, `call is "x"; give the id of a call`, ""},
		{"GET", "?cursor=x", "", nil, 400, `cursor is "x"`, ""},
		{"GET", "?limit=0", "", nil, 400, `limit is "0"`, ""},
		{"GET", "?a;b", "", nil, 400, `the query cannot be read`, ""},
	} {
		r.done, r.failed = nil, test.failed
		to := url + "/" + test.path
		if strings.HasPrefix(test.path, "?") {
			to = url + test.path
		}
		status, _, body := ask(t, test.method, to, test.body)
		text := strings.ReplaceAll(string(body), `\"`, `"`)
		if status != test.status || !strings.Contains(text, test.says) || strings.Join(r.done, ", ") != test.done {
			t.Errorf("%s %s %s: got %d %s and %v, want %d %s and %s", test.method, test.path, test.body, status, text, r.done, test.status, test.says, test.done)
		}
	}
	r.err = fmt.Errorf("disk on fire: %w", syscall.ENOENT)
	for _, path := range []string{"", "/" + message, "/" + message + "/audio"} {
		if status, body := get(t, url+path); status != 503 || strings.Contains(string(body), "fire") {
			t.Errorf("%s: got %d %s", path, status, body)
		}
	}
}
