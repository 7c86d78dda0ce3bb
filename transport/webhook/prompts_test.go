// SPDX-License-Identifier: MIT

package webhook

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/prompt"
)

// sound is a WAV file of 16-bit PCM, mono.
func sound(rate uint32, samples int) []byte {
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00")
	b = binary.LittleEndian.AppendUint32(b, rate)
	b = binary.LittleEndian.AppendUint32(b, 2*rate)
	b = append(b, "\x02\x00\x10\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(2*samples))
	b = append(b, make([]byte, 2*samples)...)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

func newPrompts(t *testing.T, config PromptsConfig) *Prompts {
	t.Helper()
	config.Client, config.Tones = newClient(t), prompt.NewTones("de")
	p := NewPrompts(config)
	t.Cleanup(p.Close)
	return p
}

// promptsOf fetches by a client. In memory and on a clock of its own no time passes
// while we compute, so that the time for a file is not over on a slow machine.
func promptsOf(t *testing.T, c *Client, limit int64) *Prompts {
	t.Helper()
	p := NewPrompts(PromptsConfig{Client: c, Tones: prompt.NewTones("de"), FileLimit: limit})
	t.Cleanup(p.Close)
	return p
}

func TestPrompt(t *testing.T) {
	t.Parallel()
	app := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hello.wav":
			if user, password, _ := r.BasicAuth(); r.Method != http.MethodGet || user != "u" || password != "p" {
				w.WriteHeader(http.StatusBadRequest)
			}
			w.Write(sound(8000, 800))
		case "/page":
			io.WriteString(w, "<!DOCTYPE html><html>")
		case "/cd.wav":
			w.Write(sound(44100, 4410))
		case "/long.wav":
			w.Write(sound(8000, 6000))
		case "/1", "/11", "/111", "/1111", "/11111":
			http.Redirect(w, r, r.URL.Path+"1", http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/aa", "/a", "/":
			http.Redirect(w, r, map[string]string{"/aa": "/a", "/a": "/", "/": "/fine.wav"}[r.URL.Path], http.StatusFound)
		case "/fine.wav":
			w.Write(sound(8000, 160))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	p := newPrompts(t, PromptsConfig{FileLimit: 10 << 10})
	host := strings.TrimPrefix(app.URL, "http://")
	for url, want := range map[string]time.Duration{
		"http://u:p@" + host + "/hello.wav": 100 * time.Millisecond,
		app.URL + "/aa":                     20 * time.Millisecond,
		app.URL + "/cd.wav":                 100 * time.Millisecond,
	} {
		prompt, err := p.Prompt(t.Context(), url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if prompt.Duration() != want || strings.Contains(prompt.Name, "u:p") || !strings.HasPrefix(prompt.Name, app.URL) {
			t.Errorf("%s: prompt %q of %s, want %s", url, prompt.Name, prompt.Duration(), want)
		}
	}
	for url, want := range map[string]string{
		app.URL + "/none.wav": "/none.wav answered 404; 200 is expected: there is nothing at this path",
		app.URL + "/page":     "/page: the file is not sound but a web page (HTML)",
		app.URL + "/long.wav": "/long.wav answered more than 10 KiB, which is the limit: make the file smaller, as MP3 or with",
		app.URL + "/1":        "/1111 redirects on to " + app.URL + "/11111, and no more than 3 redirects are followed (it began at " + app.URL + "/1)",
		app.URL + "/round":    "redirects in a circle, back to " + app.URL + "/round",
		"tone:bussy":          `there is no tone "bussy": write beep, busy,`,
		"/hello.wav":          "the URL must begin with http:// or https://",
		"http://10.0.0.1/x":   "set webhooks.allow_private: true",
	} {
		if _, err := p.Prompt(t.Context(), url); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\ngot  %v\nwant %s", url, err, want)
		}
	}
}

// TestLongPromptsWait holds that no more long files are decoded at once than there
// are places for, and that they do not keep up short ones.
func TestLongPromptsWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const app = "http://127.0.0.1"
		p := promptsOf(t, inMemory(t, serving(t, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/long.wav":
				w.Write(sound(8000, 61*8000))
			case "/short.wav":
				w.Write(sound(8000, 59*8000))
			}
		})), 0)
		for range longDecoders {
			p.long <- struct{}{}
		}
		if _, err := p.Prompt(t.Context(), app+"/short.wav"); err != nil {
			t.Errorf("a short file: %v", err)
		}
		impatient, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if _, err := p.Prompt(impatient, app+"/long.wav"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a long file had no place, and came: %v", err)
		}
		<-p.long
		for range 2 {
			if got, err := p.Prompt(t.Context(), app+"/long.wav"); err != nil || got.Duration() != 61*time.Second {
				t.Errorf("a long file with a place: %v", err)
			}
			p.cache.forget(app + "/long.wav")
		}
		synctest.Wait() // until who was left has gone
		if len(p.long) != longDecoders-1 || len(p.decoding) != 0 {
			t.Errorf("places for %d long files and %d of all are taken", len(p.long), len(p.decoding))
		}
	})
}

// TestPromptShared holds that calls that want one file at the same time share
// its fetch, that the first may leave, and that a fresh file is used again.
func TestPromptShared(t *testing.T) {
	t.Parallel()
	var fetches atomic.Int64
	begun := make(chan struct{})
	release := make(chan struct{})
	app := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if fetches.Add(1) == 1 {
			close(begun)
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
		w.Header().Set("Cache-Control", "max-age=60")
		w.Write(sound(8000, 160))
	})
	p := newPrompts(t, PromptsConfig{})

	first, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := p.Prompt(first, app.URL)
		left <- err
	}()
	<-begun
	prompts := make([]*media.Prompt, 50)
	var all sync.WaitGroup
	for i := range prompts {
		all.Go(func() {
			var err error
			if prompts[i], err = p.Prompt(t.Context(), app.URL); err != nil {
				t.Error(err)
			}
		})
	}
	waitFor(t, p, app.URL, len(prompts)+1)
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the one that left got %v", err)
	}
	close(release)
	all.Wait()
	again, err := p.Prompt(t.Context(), app.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, prompt := range prompts {
		if prompt != again {
			t.Fatal("not all got the same prompt")
		}
	}
	if n := fetches.Load(); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
}

// waitFor waits until n callers wait for a URL.
func waitFor(t *testing.T, p *Prompts, url string, n int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		p.mu.Lock()
		f := p.flights[url]
		waiting := 0
		if f != nil {
			waiting = f.waiting
		}
		p.mu.Unlock()
		if waiting == n {
			return
		}
	}
	t.Fatalf("never did %d callers wait", n)
}

// TestPromptAbandoned holds that a fetch nobody waits for ends, and that the
// next call starts one of its own.
func TestPromptAbandoned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := make(chan struct{}, 2)
		gone := make(chan struct{}, 2)
		requests := 0
		p := promptsOf(t, inMemory(t, func(conn net.Conn) {
			if readRequest(conn) != nil {
				return
			}
			requests++
			asked <- struct{}{}
			if requests == 2 {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"+string(sound(8000, 160)))
				conn.Close()
			}
			_, _ = io.Copy(io.Discard, conn)
			gone <- struct{}{}
		}), 0)
		start := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-asked
			cancel()
		}()
		if _, err := p.Prompt(ctx, "http://127.0.0.1"); !errors.Is(err, context.Canceled) {
			t.Errorf("abandoned: %v", err)
		}
		<-gone
		if took := time.Since(start); took != 0 {
			t.Errorf("the abandoned fetch goes on for %s", took)
		}
		if _, err := p.Prompt(t.Context(), "http://127.0.0.1"); err != nil {
			t.Errorf("the next: %v", err)
		}
	})
}

func TestPromptsClose(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 1)
	addr := raw(t, func(conn net.Conn) {
		if readRequest(conn) == nil {
			asked <- struct{}{}
		}
	})
	p := newPrompts(t, PromptsConfig{})
	failed := make(chan error, 1)
	go func() {
		_, err := p.Prompt(t.Context(), "http://"+addr)
		failed <- err
	}()
	<-asked
	p.Close()
	p.Close()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("under way: %v", err)
	}
	if _, err := p.Prompt(t.Context(), "http://"+addr); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestPromptNotKept holds that no-store is obeyed and that failures are not
// remembered.
func TestPromptNotKept(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	app := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if requests.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		io.Copy(w, bytes.NewReader(sound(8000, 160)))
	})
	p := newPrompts(t, PromptsConfig{})
	for i := range 3 {
		if _, err := p.Prompt(t.Context(), app.URL); (err == nil) != (i > 0) {
			t.Errorf("try %d: %v", i, err)
		}
	}
	if n := requests.Load(); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
}
