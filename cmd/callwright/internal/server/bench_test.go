// SPDX-License-Identifier: MIT

package server_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/server"
	"github.com/callwright/callwright/media/rtpload"
	"github.com/callwright/callwright/media/tone"
	"github.com/callwright/callwright/media/wav"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/sdp"
)

const (
	warmup  = time.Second
	measure = 4 * time.Second
	// crowded is from how many legs on the plane wakes up every millisecond.
	crowded = 800
)

// BenchmarkServer measures the processor time that the whole server needs for a
// second of a call, beside a bare loop that receives and sends on as many
// sockets, in the same run. Look at the ratio: the rest depends on the machine.
// The load comes from a process of its own; the SIP side that placed the calls
// and the app are in the server's process, and idle while it is measured.
func BenchmarkServer(b *testing.B) {
	server.Tune()
	for _, test := range []struct {
		name    string
		calls   int
		bridged bool
	}{
		{"200 calls hear a prompt", 200, false},
		{"1000 calls hear a prompt", 1000, false},
		{"200 bridged calls", 200, true},
	} {
		b.Run(test.name, func(b *testing.B) {
			legs := test.calls
			if test.bridged {
				legs *= 2
			}
			for b.Loop() {
				load := rtpload.Load{Legs: legs, Warmup: warmup, Measure: measure}
				bare, err := load.BareCost(generator(), legs > crowded)
				if err != nil {
					b.Fatal(err)
				}
				whole := measureServer(b, load, test.bridged)
				calls := float64(test.calls)
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(whole.CPU/calls, "µs/call-s")
				b.ReportMetric(bare.CPU/calls, "bare-µs/call-s")
				b.ReportMetric(whole.CPU/bare.CPU, "ratio")
				b.ReportMetric(whole.Memory/calls, "B/call")
				b.ReportMetric(float64(whole.P50.Microseconds()), "p50-µs")
				b.ReportMetric(float64(whole.P99.Microseconds()), "p99-µs")
				b.ReportMetric(float64(whole.P999.Microseconds()), "p99.9-µs")
				b.ReportMetric(float64(bare.P999.Microseconds()), "bare-p99.9-µs")
				b.ReportMetric(float64(whole.Gaps), "gaps")
			}
		})
	}
}

// generator is this very program as the process of the load generator.
func generator() *exec.Cmd {
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "RTPLOAD=1")
	command.Stderr = os.Stderr
	return command
}

// measureServer has real calls carry the legs: one for each that hears a
// prompt, or one for two that are bridged.
func measureServer(b *testing.B, load rtpload.Load, bridged bool) rtpload.Cost {
	b.Helper()
	callees := make(chan netip.AddrPort, load.Legs) // the legs of parties to be called
	targets := make(map[netip.AddrPort]netip.AddrPort)
	told := make(chan [2]netip.AddrPort, load.Legs) // a leg and where it is to send
	a := newApp(b, func(base string, r *http.Request) string {
		if bridged {
			return `<Response><Dial><Number>+4930222222</Number></Dial></Response>`
		}
		return fmt.Sprintf(`<Response><Play><Url>%s/prompt.wav</Url></Play></Response>`, base)
	})
	long := minuteOfSound(b)
	inner := a.Config.Handler
	a.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".wav") {
			_, _ = w.Write(long)
			return
		}
		inner.ServeHTTP(w, r)
	})
	party := callee(b, callees, told)
	s := start(b, a.URL, func(c *config.Config) {
		c.Trunks[0].Address = party.Addr("udp").String()
	})
	e := caller(b)
	c, err := load.Cost(generator(), func(peers []netip.AddrPort) ([]netip.AddrPort, error) {
		step := 1
		if bridged {
			step = 2
		}
		for i := 0; i < len(peers); i += step {
			if bridged {
				callees <- peers[i+1]
			}
			place(b, e, "sip:+4921112345@"+s.SIP.Addr("udp").String(), peers[i], told)
			for range step {
				pair := <-told
				targets[pair[0]] = pair[1]
			}
		}
		at := make([]netip.AddrPort, len(peers))
		for i, peer := range peers {
			at[i] = targets[peer]
		}
		return at, nil
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		b.Fatal(err)
	}
	return c
}

// place makes a call whose sound is a leg of the generator.
func place(b *testing.B, e *dialog.Endpoint, to string, leg netip.AddrPort, told chan<- [2]netip.AddrPort) {
	b.Helper()
	session := sdp.New(leg, 1)
	once := false
	_, err := e.Call(dialog.Call{To: to, From: dialog.Party{URI: "sip:+4930111@127.0.0.1"}, Body: session.Offer()}, dialog.Handler{
		Event: func(ev dialog.Event) {
			var body []byte
			switch ev := ev.(type) {
			case dialog.Ringing:
				body = ev.Body
			case dialog.Answered:
				body = ev.Body
			}
			if remote, err := session.Accept(body); len(body) > 0 && err == nil && !once {
				once = true
				told <- [2]netip.AddrPort{leg, remote.Addr}
			}
		},
	})
	if err != nil {
		b.Fatal(err)
	}
}

// callee answers every call with a leg of the generator.
func callee(b *testing.B, legs <-chan netip.AddrPort, told chan<- [2]netip.AddrPort) *dialog.Endpoint {
	b.Helper()
	return endpoint(b, func(d *dialog.Dialog, in dialog.Invitation) dialog.Handler {
		leg := <-legs
		answer, remote, err := sdp.New(leg, 2).Answer(in.Body)
		if err != nil {
			b.Error(err)
		}
		if err := d.Answer(answer); err != nil {
			b.Error(err)
		}
		told <- [2]netip.AddrPort{leg, remote.Addr}
		return dialog.Handler{Event: func(dialog.Event) {}}
	})
}

// minuteOfSound is a WAV file that outlasts a measurement, or a test.
func minuteOfSound(b testing.TB) []byte {
	b.Helper()
	var file seekable
	w, err := wav.NewWriter(&file, wav.PCM, 1)
	if err != nil {
		b.Fatal(err)
	}
	if err := w.WriteSamples(tone.Make(60*8000, -20, 440)); err != nil {
		b.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return file.data
}

// seekable is a file in memory.
type seekable struct {
	data []byte
	at   int64
}

func (f *seekable) Write(p []byte) (int, error) {
	end := int(f.at) + len(p)
	if end > len(f.data) {
		f.data = append(f.data, bytes.Repeat([]byte{0}, end-len(f.data))...)
	}
	copy(f.data[f.at:], p)
	f.at += int64(len(p))
	return len(p), nil
}

func (f *seekable) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case 0:
		f.at = offset
	case 1:
		f.at += offset
	default:
		f.at = int64(len(f.data)) + offset
	}
	return f.at, nil
}
