// SPDX-License-Identifier: MIT

package reception

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/internal/peer"
)

// response is the part of a document that the menu uses.
type response struct {
	XMLName  xml.Name `xml:"Response"`
	OnAnswer string   `xml:"onAnswer,attr"`
	OnHangup string   `xml:"onHangup,attr"`
	Gather   *gather
	Play     string    `xml:"Play>Url"`
	Dial     string    `xml:"Dial>Number"`
	Hangup   *struct{} `xml:"Hangup"`
}

type gather struct {
	OnData    string `xml:"onData,attr"`
	MaxDigits int    `xml:"maxDigits,attr"`
	Timeout   int    `xml:"timeout,attr"`
	Play      string `xml:"Play>Url"`
}

// post sends a form and reads the document that comes back.
func post(t *testing.T, cfg Config, target, form string) response {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	w := httptest.NewRecorder()
	New(cfg).ServeHTTP(w, r)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/xml" {
		t.Fatalf("%s %q: status %d, content type %q", target, form, w.Code, w.Header().Get("Content-Type"))
	}
	var doc response
	if err := xml.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatalf("%s %q: %v in\n%s", target, form, err, w.Body)
	}
	return doc
}

func TestMenu(t *testing.T) {
	t.Parallel()
	const base = "http://app.test:3000"
	ask := func(prompt, again string) response {
		return response{OnAnswer: base + "/", OnHangup: base + "/", Gather: &gather{
			OnData: base + "/?again=" + again, MaxDigits: 4, Timeout: 5000, Play: base + "/prompts/" + prompt + ".wav",
		}}
	}
	hangUp := response{Hangup: &struct{}{}}
	tests := []struct {
		name    string
		connect string
		path    string
		form    string
		want    response
	}{
		{"a new call is asked for the PIN", "", "/", "event=newCall&from=4921&user[]=Alice", ask("greeting", "0")},
		{"the PIN connects", "+4915799912345", "/?again=0", "event=dtmf&dtmf=1234", response{Dial: "+4915799912345"}},
		{"the PIN without a number is thanked", "", "/?again=2", "event=dtmf&dtmf=1234", response{Play: base + "/prompts/goodbye.wav", Hangup: &struct{}{}}},
		{"a wrong PIN asks again", "", "/?again=0", "event=dtmf&dtmf=1235", ask("again", "1")},
		{"nothing typed asks again", "", "/?again=2", "event=dtmf", ask("again", "3")},
		{"three times is enough", "", "/?again=3", "event=dtmf&dtmf=1", hangUp},
		{"a count that is none is the first", "", "/?again=many", "event=dtmf", ask("again", "1")},
		{"a count below none is the first", "", "/?again=-7", "event=dtmf", ask("again", "1")},
		{"an event nobody knows leaves the call alone", "", "/", "event=news", response{}},
		{"a form that is none leaves the call alone", "", "/", "%zz;%", response{}},
		{"an endless form leaves the call alone", "", "/", "event=" + strings.Repeat("a", maxBody), response{}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := post(t, Config{Connect: tc.connect}, base+tc.path, tc.form)
			got.XMLName = xml.Name{}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestFollowUpsGetAnEmptyReply(t *testing.T) {
	t.Parallel()
	for _, event := range []string{"answer", "hangup"} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("event="+event))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		New(Config{}).ServeHTTP(w, r)
		if w.Code != http.StatusOK || w.Body.Len() != 0 {
			t.Errorf("%s: status %d, body %q", event, w.Code, w.Body)
		}
	}
}

func TestBaseURLIsEscapedAndKept(t *testing.T) {
	t.Parallel()
	const base = "http://127.0.0.1:8080/sample?a=1&b=\"2\""
	got := post(t, Config{BaseURL: base}, "/", "event=newCall")
	if want := base + "/"; got.OnHangup != want {
		t.Errorf("onHangup = %q, want %q", got.OnHangup, want)
	}
}

func TestPromptsAreServed(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(prompts, "prompts/*.wav")
	if err != nil || len(names) == 0 {
		t.Fatalf("prompts: %q, %v", names, err)
	}
	server := httptest.NewServer(New(Config{}))
	defer server.Close()
	for _, name := range names {
		reply, err := http.Get(server.URL + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		wav, err := io.ReadAll(reply.Body)
		reply.Body.Close()
		if err != nil || reply.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d, %v", name, reply.StatusCode, err)
		}
		checkPrompt(t, name, wav)
	}
}

func TestPromptsCanBeMade(t *testing.T) {
	t.Parallel()
	peer.Need(t, "espeak-ng", "espeak-ng")
	peer.Need(t, "sox", "sox")
	dir := t.TempDir()
	if out, err := peer.Command(t, "prompts/make.sh", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	names, err := fs.Glob(prompts, "prompts/*.wav")
	if err != nil || len(names) == 0 {
		t.Fatalf("prompts: %q, %v", names, err)
	}
	for _, name := range names {
		wav, err := os.ReadFile(filepath.Join(dir, filepath.Base(name)))
		if err != nil {
			t.Fatal(err)
		}
		checkPrompt(t, name, wav)
	}
}

// checkPrompt says whether a file is one that sipgate.io plays, and no longer
// than a caller listens.
func checkPrompt(t *testing.T, name string, wav []byte) {
	t.Helper()
	// PCM, 1 channel, 8,000 Hz, 16,000 bytes a second, 2 bytes a frame, 16 bits.
	want := []byte{1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0}
	if len(wav) < 44 || !bytes.Equal(wav[:4], []byte("RIFF")) || !bytes.Equal(wav[20:36], want) {
		t.Errorf("%s is no 8 kHz mono 16 bit WAV: % x", name, wav[:min(len(wav), 44)])
		return
	}
	if size := binary.LittleEndian.Uint32(wav[40:]); size < 16000 || size > 5*16000 {
		t.Errorf("%s lasts %d ms", name, size/16)
	}
}

func TestOtherMethodsAreToldWhatThisIs(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, "BREW"} {
		w := httptest.NewRecorder()
		New(Config{}).ServeHTTP(w, httptest.NewRequest(method, "/any/where", nil))
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d", method, w.Code)
		}
	}
}

func FuzzEvent(f *testing.F) {
	f.Add("/", "event=newCall&from=492111234567&to=4915791234567&direction=in&callId=123456&user[]=Alice&userId[]=w0")
	f.Add("/?again=1", "event=dtmf&dtmf=1&callId=123456")
	f.Add("/?again=%zz", "event=%&;=\x00")
	f.Fuzz(func(t *testing.T, path, form string) {
		target, err := url.Parse("http://app.test" + path)
		if err != nil {
			t.Skip("no URL")
		}
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form))
		r.URL = target
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		New(Config{}).ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("status %d", w.Code)
		}
		if w.Code == http.StatusOK && w.Body.Len() > 0 {
			if err := xml.Unmarshal(w.Body.Bytes(), new(response)); err != nil {
				t.Errorf("%v in\n%s", err, w.Body)
			}
		}
	})
}
