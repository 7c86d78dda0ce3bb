// SPDX-License-Identifier: MIT

package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/media"
)

// expire makes what is kept of a URL not fresh any more, and gives how long it
// still was.
func expire(p *Prompts, url string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	stale := *p.cache.get(url)
	left := time.Until(stale.fresh)
	stale.fresh = time.Now()
	p.cache.put(&stale)
	return left
}

// TestPromptSentOn holds that a redirect that leads elsewhere is followed, and
// soon: the other file is not asked whether the first one changed.
func TestPromptSentOn(t *testing.T) {
	t.Parallel()
	var night atomic.Bool
	app := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=31536000")
		switch {
		case r.URL.Path == "/greeting" && night.Load():
			http.Redirect(w, r, "/night.wav", http.StatusFound)
		case r.URL.Path == "/greeting":
			http.Redirect(w, r, "/day.wav", http.StatusFound)
		case r.Header.Get("If-Modified-Since") != "":
			w.WriteHeader(http.StatusNotModified) // both files are older than that
		default:
			w.Header().Set("Last-Modified", "Mon, 02 Mar 2026 10:00:00 GMT")
			w.Write(sound(8000, map[string]int{"/day.wav": 160, "/night.wav": 320}[r.URL.Path]))
		}
	})
	p := newPrompts(t, PromptsConfig{})
	play := func() *media.Prompt {
		t.Helper()
		sound, err := p.Prompt(t.Context(), app.URL+"/greeting")
		if err != nil {
			t.Fatal(err)
		}
		if left := expire(p, app.URL+"/greeting"); left > freshUntold {
			t.Errorf("a file behind a temporary redirect is fresh for %s", left)
		}
		return sound
	}
	day := play()
	if again := play(); again != day {
		t.Error("what did not change was made again")
	}
	night.Store(true)
	if sound := play(); sound.Duration() != 40*time.Millisecond {
		t.Errorf("%s is played at night", sound.Name)
	}
}

// TestPromptChangedSlowly holds that a file that changed is waited for, although
// it takes longer to come than a question whether it changed may.
func TestPromptChangedSlowly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		p := promptsOf(t, inMemory(t, serving(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=0")
			requests++
			file := sound(8000, 160*min(requests, 2))
			if requests == 2 {
				w.Write(file[:60])
				http.NewResponseController(w).Flush()
				<-r.Context().Done()
				return
			}
			w.Write(file)
		})), 0)
		for _, want := range []time.Duration{20 * time.Millisecond, 40 * time.Millisecond} {
			sound, err := p.Prompt(t.Context(), "http://127.0.0.1/")
			if err != nil {
				t.Fatal(err)
			}
			if sound.Duration() != want {
				t.Errorf("a sound of %s is played, want %s", sound.Duration(), want)
			}
		}
	})
}

// TestPromptsDecodedAtOnce holds that no more files are decoded at once than
// there is memory for, and that all get their turn.
func TestPromptsDecodedAtOnce(t *testing.T) {
	t.Parallel()
	const calls = decoders + 8
	begun := make(chan struct{}, calls)
	release := make(chan struct{})
	app := serve(t, func(w http.ResponseWriter, r *http.Request) {
		file := sound(8000, 160)
		w.Write(file[:60])
		http.NewResponseController(w).Flush()
		begun <- struct{}{}
		<-release
		w.Write(file[60:])
	})
	p := newPrompts(t, PromptsConfig{})
	var all sync.WaitGroup
	for i := range calls {
		all.Go(func() {
			if _, err := p.Prompt(t.Context(), fmt.Sprint(app.URL, "/", i)); err != nil {
				t.Error(err)
			}
		})
	}
	for range calls {
		<-begun
	}
	for deadline := time.Now().Add(soundTimeout / 2); len(p.decoding) < decoders && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if n := len(p.decoding); n != decoders {
		t.Errorf("%d files are decoded at once, want %d", n, decoders)
	}
	close(release)
	all.Wait()
	if n := len(p.decoding); n != 0 {
		t.Errorf("%d files are decoded for ever", n)
	}
}

// TestRememberingEnds holds that decoding ends with the time for it, however
// much there still is to be read.
func TestRememberingEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	r := &remembering{ctx: ctx, r: strings.NewReader("sound")}
	if n, err := r.Read(make([]byte, 2)); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	cancel()
	if n, err := r.Read(make([]byte, 2)); n != 0 || !errors.Is(err, context.Canceled) || !errors.Is(r.err, context.Canceled) {
		t.Error(n, err, r.err)
	}
}
