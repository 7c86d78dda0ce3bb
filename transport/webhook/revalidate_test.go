// SPDX-License-Identifier: MIT

package webhook

import (
	"encoding/binary"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/media"
)

// promptFile is a file on a server: what is asked for it, and how it is answered.
type promptFile struct {
	mu       sync.Mutex
	requests []string // method and what was known of the file
	status   int
	header   map[string]string
	samples  int
}

func (f *promptFile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, strings.TrimSpace(r.Header.Get("If-None-Match")+" "+r.Header.Get("If-Modified-Since")))
	for name, value := range f.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(f.status)
	if f.status == http.StatusOK {
		w.Write(sound(8000, f.samples))
	}
}

// set changes how the file is served from now on.
func (f *promptFile) set(status, samples int, header map[string]string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status, f.samples, f.header = status, samples, header
}

// asked gives what was known in each request so far, and forgets it.
func (f *promptFile) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.requests
	f.requests = nil
	return asked
}

// TestPromptRevalidated holds that a file that is not fresh is asked for by what
// is known of it, and that what did not change is not sent again.
func TestPromptRevalidated(t *testing.T) {
	t.Parallel()
	file := &promptFile{}
	app := serve(t, file.ServeHTTP)
	p := newPrompts(t, PromptsConfig{})
	play := func() *media.Prompt {
		t.Helper()
		sound, err := p.Prompt(t.Context(), app.URL)
		if err != nil {
			t.Fatal(err)
		}
		return sound
	}
	now := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, file.asked()); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
	}
	const monday = "Mon, 02 Mar 2026 10:00:00 GMT"
	file.set(http.StatusOK, 160, map[string]string{"ETag": `"a"`, "Last-Modified": monday, "Cache-Control": "no-cache"})
	first := play()
	now("")
	file.set(http.StatusNotModified, 0, nil)
	if play() != first {
		t.Error("what did not change was made again")
	}
	now(`"a" ` + monday)
	file.set(http.StatusNotModified, 0, map[string]string{"Cache-Control": "max-age=60"})
	for range 3 {
		if play() != first {
			t.Error("what did not change was made again")
		}
	}
	now(`"a" ` + monday) // now it is fresh

	p.mu.Lock()
	stale := *p.cache.get(app.URL)
	stale.fresh = time.Now()
	p.cache.put(&stale)
	p.mu.Unlock()
	file.set(http.StatusOK, 320, map[string]string{"ETag": `"b"`, "Cache-Control": "max-age=0"})
	if second := play(); second == first || second.Duration() != 40*time.Millisecond {
		t.Error("the new file was not taken")
	}
	now(`"a" ` + monday)
	file.set(http.StatusOK, 480, map[string]string{"Cache-Control": "no-store"})
	if play().Duration() != 60*time.Millisecond {
		t.Error("the third file was not taken")
	}
	now(`"b"`)
	play()
	now("") // nothing is kept, nothing is known
}

// TestPromptOutage holds that callers hear what a file was before while its
// server fails, but not when the file was taken away, or must not be kept.
func TestPromptOutage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, control string
		status        int
		plays         bool
	}{
		{"server error", "max-age=0", http.StatusServiceUnavailable, true},
		{"gone", "max-age=0", http.StatusNotFound, false},
		{"must be asked for", "max-age=0, must-revalidate", http.StatusServiceUnavailable, false},
		{"no stale sound wanted", "max-age=0, stale-if-error=0", http.StatusServiceUnavailable, false},
		{"server gone", "max-age=0", 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := &promptFile{}
			app := serve(t, file.ServeHTTP)
			p := newPrompts(t, PromptsConfig{})
			file.set(http.StatusOK, 160, map[string]string{"Cache-Control": tt.control})
			first, err := p.Prompt(t.Context(), app.URL)
			if err != nil {
				t.Fatal(err)
			}
			if tt.status == 0 {
				app.Close()
			}
			file.set(tt.status, 0, nil)
			file.asked()
			second, err := p.Prompt(t.Context(), app.URL)
			if (second == first && err == nil) != tt.plays {
				t.Fatalf("played again: %t, error %v", second == first, err)
			}
			if !tt.plays || tt.status == 0 {
				return
			}
			if _, err := p.Prompt(t.Context(), app.URL); err != nil || len(file.asked()) != 1 {
				t.Errorf("a server that fails was asked again at once (%v)", err)
			}
			p.mu.Lock()
			old := *p.cache.get(app.URL)
			old.fresh, old.usable = time.Now(), time.Now()
			p.cache.put(&old)
			p.mu.Unlock()
			if _, err := p.Prompt(t.Context(), app.URL); err == nil || !strings.Contains(err.Error(), "503") {
				t.Errorf("after a day: %v, want 503", err)
			}
		})
	}
}

// TestPromptHuge holds that a file that says how large it is is not even begun,
// and that one that does not is left at the limit.
func TestPromptHuge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := make(chan int, 2)
		p := promptsOf(t, inMemory(t, serving(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/told" {
				w.Header().Set("Content-Length", "209715200")
			}
			head := sound(44100, 0)
			binary.LittleEndian.PutUint32(head[len(head)-4:], 200<<20)
			n, _ := w.Write(head)
			for block := make([]byte, 64<<10); n < 200<<20; {
				written, err := w.Write(block)
				n += written
				if err != nil {
					break
				}
			}
			sent <- n
		})), 1<<20)
		for _, path := range []string{"/told", "/untold"} {
			if _, err := p.Prompt(t.Context(), "http://127.0.0.1"+path); err == nil || !strings.Contains(err.Error(), "answered more than 1 MiB, which is the limit: make the file smaller") {
				t.Errorf("%s: %v", path, err)
			}
			if n := <-sent; n > 100<<20 {
				t.Errorf("%s: %d bytes were taken", path, n)
			}
		}
	})
}

// TestPromptTone holds that tones need no server.
func TestPromptTone(t *testing.T) {
	t.Parallel()
	p := newPrompts(t, PromptsConfig{})
	for url, want := range map[string]string{"tone:busy": "tone:de/busy", "tone:us/ringing": "tone:us/ringing", "tone:1000/500": "tone:1000/500"} {
		if sound, err := p.Prompt(t.Context(), url); err != nil {
			t.Errorf("%s: %v", url, err)
		} else if sound.Name != want {
			t.Errorf("%s is called %q, want %q", url, sound.Name, want)
		}
	}
}
