// SPDX-License-Identifier: MIT

package sipgate_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/api/sipgate"
)

// A recording is fetched by its link, whole and in parts, without a token.
func TestGET_recordings(t *testing.T) {
	t.Parallel()
	b := start(t)
	*b.archive = *past(t)
	if err := os.WriteFile(filepath.Join(b.folder, "a.wav"), []byte("RIFF0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	message := b.archive.recordings[1]
	link := b.links.URL(message)
	answer, text := b.ask("", "GET", link, "")
	if answer.StatusCode != 200 || text != "RIFF0123456789" || answer.Header.Get("Content-Type") != "audio/wav" {
		t.Errorf("got %d %q %v", answer.StatusCode, text, answer.Header)
	}
	r, err := http.NewRequest("GET", b.url+link, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Range", "bytes=4-6")
	r.Close = true
	part, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	part.Body.Close()
	if part.StatusCode != 206 || part.Header.Get("Content-Range") != "bytes 4-6/14" {
		t.Errorf("a part is %d %v", part.StatusCode, part.Header)
	}
	if answer, _ := b.ask("", "HEAD", link, ""); answer.StatusCode != 200 || answer.ContentLength != 14 {
		t.Errorf("HEAD: %d, %d bytes", answer.StatusCode, answer.ContentLength)
	}
	for _, wrong := range []string{
		strings.Replace(link, "50.wav", "51.wav", 1), strings.Replace(link, "default", "acme", 1), strings.Replace(link, "expires=", "expires=9", 1),
		link[:len(link)-1], link + "0", strings.Split(link, "?")[0], strings.Replace(link, message.ID.String(), "x", 1), strings.Replace(link, message.ID.String(), "..%2Fa", 1),
		sipgate.NewLinks("", []byte("another key")).URL(message),
	} {
		b.refuses("GET", wrong, "", 403, "this link to a recording is wrong, or older than 7 days", "")
	}
	b.refuses("GET", b.links.URL(b.archive.recordings[0]), "", 404, "the file b.wav of the recording is not in the folder", "")
	b.refuses("GET", b.links.URL(engine.Recording{ID: id(t, nowhere), Account: "default"}), "", 404, "there is no such recording any more", "")
	b.refuses("GET", b.links.URL(engine.Recording{ID: id(t, nowhere), Account: "50% a/b"}), "", 404, "there is no such recording any more", "")
	b.archive.err = noSocket()
	b.refuses("GET", link, "", 503, "the database is away", "")
	if answer, _ := b.ask("", "GET", link, ""); answer.Header.Get("Retry-After") == "" {
		t.Error("it does not say when to come again")
	}
	b.archive.err = nil
	b.archive.err = errors.New("it may be among what waits")
	b.refuses("GET", b.links.URL(engine.Recording{ID: id(t, nowhere), Account: "default"}), "", 503, "the database is away", "")
	b.archive.err = nil
	b.archive.recordings[1].File = "../../../etc/passwd"
	b.refuses("GET", link, "", 404, "the file passwd of the recording is not in the folder", "")
}

// A link leads nowhere when its time is over.
func TestLinksEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := sipgate.NewLinks("https://pbx.example/v2", []byte("key"))
		link := l.URL(engine.Recording{ID: id(t, callA), Account: "a/b c"})
		if !strings.HasPrefix(link, "https://pbx.example/v2/recordings/a%2Fb%20c/0199aa00-0000-7000-8000-000000000001.wav?expires="+strconv.FormatInt(time.Now().Add(7*24*time.Hour).Unix(), 10)+"&signature=") {
			t.Errorf("the link is %s", link)
		}
		_, query, _ := strings.Cut(link, "?")
		for _, step := range []struct {
			after time.Duration
			want  bool
		}{{0, true}, {7*24*time.Hour - time.Second, true}, {time.Second, false}, {time.Hour, false}} {
			time.Sleep(step.after)
			if got := sipgate.Allows(l, "a/b c", id(t, callA), query); got != step.want {
				t.Errorf("%v later it is %v", step.after, got)
			}
		}
	})
}
