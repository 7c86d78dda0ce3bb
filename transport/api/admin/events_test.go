// SPDX-License-Identifier: MIT

package admin_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/engine"
)

// feed is a Feed in memory. The ids of its events are 10, 20, 30 …
type feed struct {
	err error // of LastEventID

	mu      sync.Mutex
	events  []engine.Event
	changed chan struct{}
	closed  bool
	follows int // how many follow now
}

func newFeed() *feed { return &feed{changed: make(chan struct{})} }

// change changes the feed and wakes those who follow.
func (f *feed) change(edit func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	edit()
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *feed) add(e ...engine.Event) { f.change(func() { f.events = append(f.events, e...) }) }

func (f *feed) LastEventID(context.Context) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return int64(len(f.events)) * 10, f.err
}

func (f *feed) Follow(ctx context.Context, after int64, give func(int64, engine.Event) error) error {
	f.change(func() { f.follows++ })
	defer f.change(func() { f.follows-- })
	for i := int(after / 10); ; {
		f.mu.Lock()
		events, changed, closed := f.events, f.changed, f.closed
		f.mu.Unlock()
		for ; i < len(events); i++ {
			if err := give(int64(i+1)*10, events[i]); err != nil {
				return err
			}
		}
		if closed {
			return fs.ErrClosed
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// until waits for so many to follow.
func (f *feed) until(follows int) {
	for {
		f.mu.Lock()
		now, changed := f.follows, f.changed
		f.mu.Unlock()
		if now == follows {
			return
		}
		<-changed
	}
}

// listen opens a stream and checks how it begins.
func listen(t *testing.T, url, lastEventID, begins string) (io.Reader, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if lastEventID != "" {
		r.Header.Set("Last-Event-ID", lastEventID)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	if got := answer.Header.Get("Content-Type"); answer.StatusCode != 200 || got != "text/event-stream" {
		t.Fatalf("got %d %s", answer.StatusCode, got)
	}
	body := bufio.NewReader(answer.Body)
	if got := next(t, body); got != "retry: 1000\nid: "+begins+"\n" {
		t.Errorf("the stream begins with %q", got)
	}
	return body, cancel
}

// next reads up to an empty line.
func next(t *testing.T, body io.Reader) string {
	t.Helper()
	var b strings.Builder
	for {
		line, err := body.(*bufio.Reader).ReadString('\n')
		if err != nil {
			t.Fatalf("%v after %q", err, b.String()+line)
		}
		if line == "\n" {
			return b.String()
		}
		b.WriteString(line)
	}
}

// ids reads n events and gives their ids.
func ids(t *testing.T, body io.Reader, n int) (got []string) {
	t.Helper()
	for range n {
		line, _, _ := strings.Cut(next(t, body), "\n")
		got = append(got, strings.TrimPrefix(line, "id: "))
	}
	return got
}

func TestEventsComeAndResume(t *testing.T) {
	t.Parallel()
	a := sample(t)
	f := newFeed()
	_, url := start(t, a, f)
	f.add(a.events[0])

	live, leave := listen(t, url+"/events", "", "10")
	f.add(a.events[2:]...) // as soon as the stream has begun, nothing is missed
	want := "id: 20\nevent: reply\ndata: " +
		`{"call":"0199aa00-0000-7000-8000-000000000001","seq":2,"at":"2026-03-01T12:00:02.25Z","kind":"reply","text":"newCall: 200",` +
		`"data":{"name":"newCall","status":200,"body":"<Response>\n<Hangup/></Response>","ms":12}}` + "\n"
	if diff := cmp.Diff(want, next(t, live)); diff != "" {
		t.Error(diff)
	}
	described(t, "StreamedEvent", want[strings.Index(want, "{"):])
	leave()
	f.until(0)

	for _, test := range []struct {
		query, header, begins string
		want                  []string
	}{
		{"", "20", "20", []string{"30"}},
		{"?after=10", "", "10", []string{"20", "30"}},
		{"?after=0", "", "0", []string{"10", "20", "30"}},
		{"?after=0", "20", "20", []string{"30"}},
		{"?after=", "", "30", nil},
	} {
		again, leave := listen(t, url+"/events"+test.query, test.header, test.begins)
		if diff := cmp.Diff(test.want, ids(t, again, len(test.want))); diff != "" {
			t.Errorf("%s with Last-Event-ID %q: %s", test.query, test.header, diff)
		}
		leave()
	}
}

func TestEventsOfOneCall(t *testing.T) {
	t.Parallel()
	a := sample(t)
	f := newFeed()
	_, url := start(t, a, f)
	f.add(a.events...)
	body, _ := listen(t, url+"/events?after=0&call="+a.events[0].Call.Hex(), "", "0")
	if diff := cmp.Diff([]string{"10", "30", "40"}, ids(t, body, 3)); diff != "" {
		t.Error(diff)
	}
	f.add(a.events[1], a.events[0])
	if diff := cmp.Diff([]string{"60"}, ids(t, body, 1)); diff != "" {
		t.Error(diff)
	}
}

// Many streams end when the server does, cleanly and before it is gone.
func TestShutdownEndsStreams(t *testing.T) {
	t.Parallel()
	f := newFeed()
	s, url := start(t, sample(t), f)
	var bodies []io.Reader
	for range 20 {
		body, _ := listen(t, url+"/events", "", "0")
		bodies = append(bodies, body)
	}
	f.until(20)
	if err := s.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	f.until(0)
	for _, body := range bodies {
		if rest, err := io.ReadAll(body); err != nil || len(rest) != 0 {
			t.Errorf("the stream ended with %q, %v", rest, err)
		}
	}
}

func TestStreamEndsWithTheStore(t *testing.T) {
	t.Parallel()
	f := newFeed()
	_, url := start(t, sample(t), f)
	body, _ := listen(t, url+"/events", "", "0")
	f.change(func() { f.closed = true })
	if rest, err := io.ReadAll(body); err != nil || len(rest) != 0 {
		t.Errorf("the stream ended with %q, %v", rest, err)
	}
}

// A backlog that no socket holds arrives whole and in order.
func TestLongBacklog(t *testing.T) {
	t.Parallel()
	const events = 5000
	f := newFeed()
	_, url := start(t, sample(t), f)
	big := strings.Repeat("x", 4<<10) // 20 MB in all
	for i := range events {
		f.add(engine.Event{Seq: i + 1, At: time.Unix(0, 0), Kind: engine.EventSIP, Text: big})
	}
	body, _ := listen(t, url+"/events?after=0", "", "0")
	for i := range events {
		if got, want := ids(t, body, 1)[0], fmt.Sprint((i+1)*10); got != want {
			t.Fatalf("got event %s, want %s", got, want)
		}
	}
}
