// SPDX-License-Identifier: MIT

package test

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/internal/peer"
	"github.com/callwright/callwright/media/tone"
)

// voices says how much of a sound is loud and none of our tones.
func voices(sound []byte) (length time.Duration) {
	for frame := range slices.Chunk(sound, 3200) {
		samples := make([]int16, len(frame)/2)
		_, _ = binary.Decode(frame, binary.LittleEndian, samples)
		sum := 0.0
		for _, s := range samples {
			sum += float64(s) * float64(s)
		}
		if math.Sqrt(sum/float64(len(samples))) > 300 && tone.Level(samples, beep) < -20 && tone.Level(samples, 425) < -20 {
			length += time.Duration(len(samples)) * time.Second / 8000
		}
	}
	return length
}

// TestSays has a telephone hear a text that espeak-ng speaks.
func TestSays(t *testing.T) {
	t.Parallel()
	peer.Need(t, "espeak-ng", "espeak-ng")
	h := newHouseOf(t, withDesk, onCall(`<Say language="en-GB">One moment please, we are looking for somebody.</Say><Reject/>`))
	carol := h.baresip(t, line{host: hostDesk, username: "carol", manual: true, plays: toneOfCarol}).registered()
	carol.do(carol.brand.dial, ourNumber)
	carol.expect(carol.brand.closed)
	if got := voices(carol.heard()); got < time.Second {
		t.Errorf("%v of speech were heard", got)
	}
	h.expectPorts(t, 0)
}

// TestSaysByHTTP has a telephone hear what a server speaks, which is asked once for
// what is said four times.
func TestSaysByHTTP(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Model, Voice, Input string }
		_ = json.NewDecoder(r.Body).Decode(&body) // what is missing is seen below
		mu.Lock()
		asked = append(asked, strings.Join([]string{r.Method, r.URL.Path, r.Header.Get("Authorization"), body.Model, body.Voice, body.Input}, " "))
		mu.Unlock()
		w.Header().Set("Content-Type", "audio/wav")
		_, _ = w.Write(wav(2*time.Second, 620))
	}))
	t.Cleanup(server.Close)
	config := strings.Replace(withDesk, "apps:", `speech: {provider: http, url: "`+server.URL+`", key: k, model: m, voice: v}`+"\napps:", 1)
	h := newHouseOf(t, config, onCall(`<Say>Guten Tag</Say><Say>Guten  Tag</Say><Reject/>`))
	carol := h.baresip(t, line{host: hostDesk, username: "carol", manual: true, plays: toneOfCarol}).registered()
	for range 2 {
		before := len(carol.heard())
		carol.do(carol.brand.dial, ourNumber)
		carol.expect(carol.brand.closed)
		if got := lasts(carol.heard()[before:], 620); got < 2200*time.Millisecond { // more than one text
			t.Errorf("%v of 4 s were heard", got)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff([]string{"POST /v1/audio/speech Bearer k m v Guten Tag"}, asked); diff != "" {
		t.Errorf("the server was asked, -want +got:\n%s", diff)
	}
}
