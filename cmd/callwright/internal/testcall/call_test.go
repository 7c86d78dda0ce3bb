// SPDX-License-Identifier: MIT

package testcall

import (
	"context"
	"errors"
	"math"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/tone"
	"github.com/callwright/callwright/media/wav"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/phone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// callee is a phone that plays a tone, and does with each call what it is told.
func callee(t *testing.T, do func(*phone.Call)) *phone.Phone {
	t.Helper()
	p, err := phone.New(phone.Config{Listen: "127.0.0.1:0", User: "callee", Tone: 1000})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(done)
		if c, err := p.Accept(ctx); err == nil {
			do(c)
		}
	}()
	t.Cleanup(func() { cancel(); <-done; p.Close() })
	return p
}

func run(t *testing.T, o Options) (string, error) {
	t.Helper()
	if o.Duration == 0 {
		o.Duration = 600 * time.Millisecond
	}
	if o.Patience == 0 {
		o.Patience = time.Minute
	}
	o.From = "4930111111"
	if o.Tone == 0 {
		o.Tone = 440
	}
	var out strings.Builder
	err := Run(t.Context(), &out, o)
	t.Log(out.String(), err)
	return out.String(), err
}

// wants sees that all of it is there, in this order.
func wants(t *testing.T, out string, all ...string) {
	t.Helper()
	rest := out
	for _, want := range all {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Errorf("after what was found, this lacks %q:\n%s", want, out)
			return
		}
		rest = after
	}
}

// A call that is answered: the digits arrive, and the tone is heard.
func TestAnswered(t *testing.T) {
	t.Parallel()
	digits := make(chan string, 1)
	p := callee(t, func(c *phone.Call) {
		_ = c.Answer()
		_, _ = c.WaitEnd(context.Background())
		digits <- c.Digits()
	})
	record := t.TempDir() + "/heard.wav"
	out, err := run(t, Options{To: p.URI(), Digits: "1w2", Codecs: []media.Codec{media.PCMA}, Record: record})
	if err != nil {
		t.Errorf("the call went wrong: %v", err)
	}
	wants(t, out, "phone       calls sip:callee@", "sip         -> INVITE", "sip         <- 200 OK", "phone       hears sound",
		"phone       types 1", "phone       types 2", "sip         -> BYE", "verdict", "answered after", "later: this phone hung up",
		"tone of 1000 Hz for", "at -18.", "0 lost", "what was heard is in "+record)
	if got := <-digits; got != "12" {
		t.Errorf("the other side got the digits %q, want 12", got)
	}
	if sound, err := phone.ReadFile(record); err != nil || tone.Level(sound, 1000) < phone.Level-2 {
		t.Errorf("the recording has %d samples, the tone at %.1f dB (%v)", len(sound), tone.Level(sound, 1000), err)
	}
}

// Early media is heard, and is no fault; then the other side is busy.
func TestEarlyMediaThenBusy(t *testing.T) {
	t.Parallel()
	p := callee(t, func(c *phone.Call) {
		_ = c.RingAloud()
		_ = c.Play(context.Background(), tone.Make(media.SampleRate, phone.Level, 1000))
		c.Reject(486, "Busy Here")
	})
	out, err := run(t, Options{To: p.URI(), Duration: 20 * time.Second})
	if err != nil {
		t.Errorf("early media was heard, and still: %v", err)
	}
	wants(t, out, "183", "hears sound", "486 Busy Here", "verdict", "not answered; after", "486 Busy Here", "tone of 1000 Hz")
}

// What is not answered is an error that says why.
func TestNotAnswered(t *testing.T) {
	t.Parallel()
	busy := callee(t, func(c *phone.Call) { c.Reject(486, "Busy Here") })
	out, err := run(t, Options{To: busy.URI()})
	if err == nil || err.Error() != "the call was not answered: 486 Busy Here" {
		t.Errorf("error %v, want why it was not answered", err)
	}
	wants(t, out, "not answered; after", "486 Busy Here", "no sound came")

	patience := 300 * time.Millisecond
	for ; ; patience *= 2 { // until there is time for the other side to ring
		rings := callee(t, func(c *phone.Call) { _ = c.Ring(); _, _ = c.WaitEnd(context.Background()) })
		if out, err = run(t, Options{To: rings.URI(), Patience: patience}); strings.Contains(out, "<- 180 Ringing") || patience > time.Minute {
			break
		}
	}
	if err == nil || err.Error() != "nobody picked up for "+patience.String() {
		t.Errorf("error %v, want that nobody picked up", err)
	}
	wants(t, out, "<- 180 Ringing", "-> CANCEL", "not answered; after", "this phone cancelled")
}

// The end of the context hangs up.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	end := make(chan string, 1)
	p := callee(t, func(c *phone.Call) {
		_ = c.Answer()
		_ = c.WaitSound(context.Background(), -30)
		cancel()
		over, _ := c.WaitEnd(context.Background())
		end <- over.By.String()
	})
	var out strings.Builder
	err := Run(ctx, &out, Options{To: p.URI(), From: "1", Tone: 440, Duration: time.Minute, Patience: time.Minute})
	if err != nil {
		t.Errorf("a call that was ended by hand went wrong: %v", err)
	}
	if by := <-end; by != "remote" {
		t.Errorf("the other side saw an end by %s, want a BYE", by)
	}
	wants(t, out.String(), "-> BYE", "verdict", "this phone hung up")
}

// A file is played in place of the tone, to its end even when time is up.
func TestPlay(t *testing.T) {
	t.Parallel()
	heard := make(chan error, 1)
	p := callee(t, func(c *phone.Call) {
		_ = c.Answer()
		heard <- c.WaitTone(context.Background(), 1500, -30)
		_, _ = c.WaitEnd(context.Background())
	})
	file := t.TempDir() + "/tone.wav"
	writeTone(t, file, 1500)
	out, err := run(t, Options{To: p.URI(), Play: file, Duration: time.Millisecond})
	if err != nil {
		t.Errorf("the call went wrong: %v", err)
	}
	if err := <-heard; err != nil {
		t.Errorf("the other side did not hear the file: %v", err)
	}
	wants(t, out, "plays "+file+" (0.5 s)", "has played "+file, "-> BYE")
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	existing := t.TempDir() + "/there.wav"
	writeTone(t, existing, 440)
	for want, o := range map[string]Options{
		"cannot be called":           {To: "tel:123"},
		"is no SIP URI":              {To: "sip:@host"},
		"transport=tls is not known": {To: "1@127.0.0.1;transport=tls"},
		"--digits is \"1x\"":         {To: "1", Digits: "1x"},
		"--listen is \"here\"":       {To: "1", Listen: "here"},
		"there is a file":            {To: "1", Record: existing},
		"no such file":               {To: "1", Play: existing + "x"},
		"there is no host no-such-":  {To: "1@no-such-host.invalid"},
		"no folder for":              {To: "1", Record: t.TempDir() + "/none/x.wav"},
		"names a machine, and nobo":  {To: "sip:127.0.0.1:5070"},
		"sip:100@host.example":       {To: "host.example"},
		"the port \"0\": write":      {To: "1@127.0.0.1:0"},
		"the port \"5060?X=1\"":      {To: "sip:1@127.0.0.1:5060?X=1"},
		"the port \"65536\"":         {To: "1@[::1]:65536"},
		"--tone is 4000":             {To: "1", Tone: 4000},
		"--tone is NaN":              {To: "1", Tone: math.NaN()},
		"--duration is -1s":          {To: "1", Duration: -time.Second},
		"--patience is -1s":          {To: "1", Patience: -time.Second},
	} {
		if out, err := run(t, o); err == nil || !strings.Contains(err.Error(), want) || out != "" {
			t.Errorf("%+v: error %v, want one with %q, and no call", o, err, want)
		}
	}
}

func TestParseTarget(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]target{
		"sip:100@127.0.0.1:5070":         {"sip:100@127.0.0.1:5070", "127.0.0.1:5070", "udp"},
		"SIP:100@host":                   {"sip:100@host", "host:5060", "udp"},
		"100@[::1]:5070;transport=TCP;x": {"sip:100@[::1]:5070;transport=TCP;x", "[::1]:5070", "tcp"},
		"+49@[::1]":                      {"sip:+49@[::1]", "[::1]:5060", "udp"},
		"100":                            {"sip:100@127.0.0.1", "127.0.0.1:5060", "udp"},
	} {
		got, err := parseTarget(text)
		if err != nil || got != want {
			t.Errorf("%q is %+v (%v), want %+v", text, got, err, want)
		}
	}
}

func TestParts(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff([]string{"1", ",", "2", "w", "w", "34#"}, parts("1,2ww34#")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Tones are found among silence, chords and other tones.
func TestTones(t *testing.T) {
	t.Parallel()
	second := media.SampleRate
	var sound []int16
	for _, part := range [][]int16{
		make([]int16, second), tone.Make(second/2, -20, 425), tone.Make(second/2, -20, 425, 1330),
		tone.Make(second/10, -20, 700), make([]int16, second/2), tone.Make(second*2, -30, 1013),
	} {
		sound = append(sound, part...)
	}
	got := tones(sound)
	if len(got) != 2 {
		t.Fatalf("found %+v, want 425 Hz and 1013 Hz", got)
	}
	for i, want := range []heardTone{{425, -20, time.Second, 500 * time.Millisecond}, {1013, -30, 2600 * time.Millisecond, 2 * time.Second}} {
		g := got[i]
		if g.hz != want.hz || g.level < want.level-0.5 || g.level > want.level+0.5 || (g.at-want.at).Abs() > 20*time.Millisecond || (g.duration-want.duration).Abs() > 40*time.Millisecond {
			t.Errorf("tone %d is %+v, want %+v", i, g, want)
		}
	}
	if m := measure(sound); m.silence != time.Second || m.sounding < 3*time.Second || m.loudest < -18 || m.loudest > -16 {
		t.Errorf("measured %+v", m)
	}
}

// writeTone writes half a second of a tone to a WAV file.
func writeTone(t *testing.T, path string, hz float64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := wav.NewWriter(f, wav.PCM, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.WriteSamples(tone.Make(media.SampleRate/2, -15, hz)), w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestAdvice(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{401: "give the --username", 407: "give the --username", 403: "allow_from", 404: "no such number"} {
		p := callee(t, func(c *phone.Call) { c.Reject(status, "No") })
		if _, err := run(t, Options{To: p.URI()}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d: error %v, want one with %q", status, err, want)
		}
	}
	c := call{o: Options{Username: "alice"}}
	for _, want := range []struct{ password, advice string }{
		{"", ": give the password, too, with --password or in SIP_PASSWORD"},
		{"secret", ": are --username and --password right?"},
	} {
		c.o.Password = want.password
		if got := c.advice(dialog.Ended{Status: 401}); got != want.advice {
			t.Errorf("advice with a user name and the password %q: %q", want.password, got)
		}
	}
	if got := c.advice(dialog.Ended{Status: 486}); got != "" {
		t.Errorf("advice about a busy party: %q", got)
	}
}

// Where nothing listens, nobody waits.
func TestNobodyListens(t *testing.T) {
	t.Parallel()
	taken, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := taken.LocalAddr().String()
	if _, err := near(target{host: address, network: "udp"}); err != nil {
		t.Errorf("a silent port: %v, want that it may be called", err)
	}
	// Many machines call themselves localhost at ::1, too, where serve does not listen.
	if own, err := near(target{host: strings.Replace(address, "127.0.0.1", "localhost", 1), network: "udp"}); own != "127.0.0.1:0" {
		t.Errorf("localhost is called from %s (%v), want 127.0.0.1", own, err)
	}
	taken.Close()
	_, err = run(t, Options{To: "1@" + address + ";transport=tcp"})
	if err == nil || !strings.Contains(err.Error(), "connection refused: is callwright serve running there") {
		t.Errorf("by TCP: %v, want that nothing listens", err)
	}
	out, err := run(t, Options{To: "1@" + address})
	if err == nil || err.Error() != "nothing listens at "+address+isItThere || out != "" {
		t.Errorf("by UDP: %v, want that nothing listens, and no call", err)
	}
}

// A call without sound has a fault, unless it was too short for any; so has one
// whose sound ended long before.
func TestJudge(t *testing.T) {
	t.Parallel()
	p := callee(t, func(c *phone.Call) { _ = c.Answer(); _, _ = c.WaitEnd(context.Background()) })
	mine, err := phone.New(phone.Config{Listen: "127.0.0.1:0", User: "1"})
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	c := call{answered: time.Now()}
	if c.Call, err = mine.Dial(p.URI(), phone.CallOptions{}); err != nil {
		t.Fatal(err)
	}
	c.over = c.answered.Add(passing / 2)
	if err := c.judge(phone.Verdict{}, dialog.Ended{}); err != nil {
		t.Errorf("a short call without sound: %v", err)
	}
	c.over = c.answered.Add(2 * passing)
	if err := c.judge(phone.Verdict{}, dialog.Ended{}); err == nil || !strings.Contains(err.Error(), "no sound came") {
		t.Errorf("a call without sound: %v, want that no sound came", err)
	}
	if err := c.WaitSound(t.Context(), audible); err != nil {
		t.Fatal(err)
	}
	c.over = time.Now()
	if err := c.judge(c.Heard(), dialog.Ended{}); err != nil {
		t.Errorf("a call with sound to its end: %v", err)
	}
	c.over = time.Now().Add(numb + time.Second)
	if err := c.judge(c.Heard(), dialog.Ended{}); err == nil || !strings.Contains(err.Error(), "no packet came in the last ") {
		t.Errorf("a call whose sound ended: %v, want that no packet came", err)
	}
}
