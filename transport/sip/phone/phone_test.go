// SPDX-License-Identifier: MIT

package phone

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/peer"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/tone"
	"github.com/callwright/callwright/transport/sip/dialog"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// on switches a phone on for a test.
func on(t *testing.T, cfg Config) *Phone {
	t.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// must ends the test at an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// connect has a call b, and b pick up.
func connect(t *testing.T, a, b *Phone) (out, in *Call) {
	t.Helper()
	out, err := a.Dial(b.URI(), CallOptions{})
	must(t, err)
	in, err = b.Accept(t.Context())
	must(t, err)
	must(t, in.Ring())
	must(t, out.WaitRinging(t.Context()))
	must(t, in.Answer())
	must(t, out.WaitAnswer(t.Context()))
	must(t, in.WaitAnswer(t.Context()))
	return out, in
}

// caughtUp waits until one side has heard what the other has sent so far.
func caughtUp(t *testing.T, from, to *Call) {
	t.Helper()
	from.mu.Lock()
	last := from.mouth.header.SequenceNumber - 1
	from.mu.Unlock()
	must(t, to.wait(t.Context(), "what was sent", func() bool {
		n := len(to.ear.packets)
		return n > 0 && int16(to.ear.packets[n-1].Sequence-last) >= 0
	}))
}

// Two phones hear each other and not themselves, over UDP, TCP and IPv6, in both
// codecs, and press keys.
func TestConversation(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{
		"udp":   {},
		"tcp":   {Network: "tcp"},
		"A-law": {Codecs: []media.Codec{media.PCMA}},
		"IPv6":  {Listen: "[::1]:0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "IPv6" {
				peer.NeedIPv6(t)
			}
			left, right := cfg, cfg
			left.User, left.Tone = "alice", 440
			right.User, right.Tone = "bob", 1000
			a, b := on(t, left), on(t, right)
			out, in := connect(t, a, b)
			if !strings.HasPrefix(in.From.URI, "sip:alice@") || !strings.HasPrefix(in.To.URI, "sip:bob@") {
				t.Errorf("call from %s to %s", in.From.URI, in.To.URI)
			}
			must(t, out.WaitTone(t.Context(), 1000, Level-3))
			must(t, in.WaitTone(t.Context(), 440, Level-3))
			v, err := out.Listen(t.Context(), 500*time.Millisecond, 1000)
			must(t, err)
			if err := v.Check(); err != nil {
				t.Errorf("%v\n%s", err, v)
			}
			must(t, out.SendDigits(t.Context(), "159*#00"))
			caughtUp(t, out, in)
			if got := in.Digits(); got != "159*#00" {
				t.Errorf("keys %q", got)
			}
			if p := in.Packets(); len(p) == 0 || !p[0].Marker || p[1].Marker || p[1].Timestamp-p[0].Timestamp != media.FrameSize {
				t.Errorf("packets %+v", p[:2])
			}
			in.Hangup()
			ended, err := out.WaitEnd(t.Context())
			must(t, err)
			if ended.By != dialog.Remote {
				t.Errorf("ended %+v", ended)
			}
			_, err = in.WaitEnd(t.Context())
			must(t, err)
		})
	}
}

// What came before the end of a call is heard, however late the phone is to look.
func TestLastWords(t *testing.T) {
	t.Parallel()
	out, _ := connect(t, on(t, Config{User: "alice"}), on(t, Config{User: "bob"}))
	other, err := socket(out.phone.host)
	must(t, err)
	defer other.Close()
	const words = 50
	out.mu.Lock() // as if it did not get the processor
	before, m := out.ear.received, newMouth(0, media.FrameDuration)
	for range words {
		_, err = other.WriteToUDPAddrPort(m.packet(0, uint8(media.PCMU), make([]byte, media.FrameSize)), at(out.line.now()))
		must(t, err)
	}
	out.state.ended = &dialog.Ended{}
	out.mu.Unlock()
	out.running.Wait()
	out.mu.Lock()
	defer out.mu.Unlock()
	if got := out.ear.received - before; got < words {
		t.Errorf("%d packets were heard at the end, want %d", got, words)
	}
}

func TestRejectAndCancel(t *testing.T) {
	t.Parallel()
	a, b := on(t, Config{User: "alice"}), on(t, Config{User: "bob"})
	out, err := a.Dial(b.URI(), CallOptions{Headers: []dialog.Header{{Name: "X-Test", Value: "1"}}, From: dialog.Party{URI: "sip:+4921@test"}})
	must(t, err)
	in, err := b.Accept(t.Context())
	must(t, err)
	if in.From.URI != "sip:+4921@test" || len(in.Header("X-Test")) != 1 {
		t.Errorf("invitation %+v", in.Invitation)
	}
	in.Reject(486, "Busy Here")
	var ended *EndedError
	if err := out.WaitAnswer(t.Context()); !errors.As(err, &ended) || ended.Status != 486 {
		t.Errorf("error %v, want one of 486", err)
	}

	out, err = a.Dial(b.URI(), CallOptions{})
	must(t, err)
	in, err = b.Accept(t.Context())
	must(t, err)
	must(t, in.Ring())
	must(t, out.WaitRinging(t.Context()))
	out.Hangup()
	if ended, err := in.WaitEnd(t.Context()); err != nil || ended.Status != 487 || ended.By != dialog.Remote {
		t.Errorf("ended %+v, %v", ended, err)
	}
	if _, err := out.WaitEnd(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestEarlyMedia(t *testing.T) {
	t.Parallel()
	a, b := on(t, Config{User: "alice"}), on(t, Config{User: "bob", Tone: 425})
	out, err := a.Dial(b.URI(), CallOptions{})
	must(t, err)
	in, err := b.Accept(t.Context())
	must(t, err)
	must(t, in.RingAloud())
	must(t, out.WaitTone(t.Context(), 425, Level-3))
	if err := out.WaitAnswer(short(t)); err == nil {
		t.Error("a ringing call counts as answered")
	}
	must(t, in.Answer())
	must(t, out.WaitAnswer(t.Context()))
	must(t, in.WaitSilence(t.Context(), 100*time.Millisecond, -50)) // alice plays nothing
}

// short is a context that ends soon.
func short(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// Waits that are in vain say what for, and how the call was.
func TestInVain(t *testing.T) {
	t.Parallel()
	a, b := on(t, Config{User: "alice"}), on(t, Config{User: "bob", Tone: 1000})
	if _, err := a.Accept(short(t)); err == nil || !strings.Contains(err.Error(), "alice was not called") {
		t.Errorf("error %v", err)
	}
	out, in := connect(t, a, b)
	if err := out.WaitTone(short(t), 440, Level); err == nil || !strings.Contains(err.Error(), "440 Hz") || !strings.Contains(err.Error(), "talking") {
		t.Errorf("error %v", err)
	}
	if err := out.WaitSilence(short(t), time.Hour, -50); err == nil {
		t.Error("a tone is silence")
	}
	if err := in.WaitSound(short(t), -50); err == nil {
		t.Error("silence is sound")
	}
	if err := out.SendDigits(t.Context(), "12x"); err == nil {
		t.Error("x is a key")
	}
	if _, err := New(Config{Listen: "nowhere"}); err == nil {
		t.Error("a phone listens nowhere")
	}
	if _, err := a.Dial("tel:1", CallOptions{}); err == nil {
		t.Error("a phone dials what is no SIP URI")
	}
}

// stream makes the packets and the sound of somebody who plays hz.
func stream(frames int, hz float64) ([]int16, []Packet) {
	packets := make([]Packet, frames)
	for i := range packets {
		packets[i] = Packet{Arrived: time.Unix(0, 0).Add(time.Duration(i) * media.FrameDuration), Sequence: uint16(65530 + i), Timestamp: uint32(i * media.FrameSize)}
	}
	return tone.Make(frames*media.FrameSize, Level, hz), packets
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, says string
		change     func(sound *[]int16, packets *[]Packet)
	}{
		{"all is well", "", func(*[]int16, *[]Packet) {}},
		{"nothing came", "no sound came", func(s *[]int16, p *[]Packet) { *s, *p = nil, nil }},
		{"another tone", "1000 Hz is at", func(s *[]int16, _ *[]Packet) { *s = tone.Make(len(*s), Level, 800) }},
		{"too soft", "1000 Hz is at -20.2 dB", func(s *[]int16, _ *[]Packet) { *s = tone.Make(len(*s), Level-2, 1000) }},
		{"own tone", "its own tone at -38.2 dB", func(s *[]int16, _ *[]Packet) { tone.Add(*s, 0, 440, Level-20) }},
		{"silence", "away for 80ms", func(s *[]int16, _ *[]Packet) { clear((*s)[1600 : 1600+640]) }},
		{"a short silence", "", func(s *[]int16, _ *[]Packet) { clear((*s)[1600 : 1600+480]) }},
		{"loss", "2 are lost", func(_ *[]int16, p *[]Packet) { *p = append((*p)[:10], (*p)[12:]...) }},
		{"twice", "1 came twice", func(_ *[]int16, p *[]Packet) { *p = append(*p, (*p)[len(*p)-1]) }},
		{"late", "1 late", func(_ *[]int16, p *[]Packet) { (*p)[10], (*p)[11] = (*p)[11], (*p)[10] }},
	} {
		sound, packets := stream(50, 1000)
		tc.change(&sound, &packets)
		v := judge(sound, packets, 1000, 440)
		switch err := v.Check(); {
		case tc.says == "" && err != nil:
			t.Errorf("%s: %v", tc.name, err)
		case tc.says != "" && (err == nil || !strings.Contains(err.Error(), tc.says)):
			t.Errorf("%s: %v, want %q", tc.name, err, tc.says)
		}
	}
	sound, packets := stream(50, 1000)
	packets[20].Arrived = packets[20].Arrived.Add(15 * time.Millisecond)
	if v := judge(sound, packets, 1000, 0); v.Gap != 35*time.Millisecond || v.Jitter != 0 || v.Own != tone.Silence {
		t.Errorf("verdict %+v", v)
	}
}
