// SPDX-License-Identifier: MIT

package speech

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/internal/peer"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
)

// loudness is the root mean square of a prompt.
func loudness(p *media.Prompt) int {
	samples := make([]int16, len(p.ALaw))
	codec.Decode(media.PCMA, samples, p.ALaw)
	sum := 0
	for _, v := range samples {
		sum += int(v) * int(v)
	}
	return sum / len(samples)
}

// listed are the locales that Sinch names, with the slip in its document and
// what is meant by it.
const listed = "en-US en-AU en-CA en-GB en-IN es-ES es-MX es-CA fr-FR fr-CA ja-JP ko-KR pt-BR pt-PT zn-CN zh-CN zh-HK zh-TW " +
	"da-DK de-DE fi-FI it-IT nb-NO nl-NL pl-PL ru-RU sv-SE"

// Every locale that is listed, and every other that we name, is spoken.
func TestEspeakLocales(t *testing.T) {
	t.Parallel()
	peer.Need(t, "espeak-ng", "espeak-ng")
	greetings := map[string]string{"ja": "こんにちは", "ko": "안녕하세요", "zh": "你好", "zn": "你好", "ru": "Здравствуйте", "el": "Καλημέρα", "ar": "مرحبا"}
	locales := strings.Fields(listed)
	for _, v := range voices {
		locales = append(locales, v.locale)
	}
	for _, locale := range locales {
		language, _, _ := strings.Cut(locale, "-")
		text := greetings[language]
		if text == "" {
			text = "Radio, telefon 1 2 3"
		}
		sound, err := Espeak{}.Speak(t.Context(), engine.Speech{Text: text, Language: locale})
		if err != nil {
			t.Errorf("%s: %v", locale, err)
			continue
		}
		if d := sound.Duration(); d < 400*time.Millisecond || d > 20*time.Second || loudness(sound) < 100_000 {
			t.Errorf("%s: %s of loudness %d", locale, d, loudness(sound))
		}
	}
}

func TestVoiceOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ language, voice, want string }{
		{"de-DE", "", "de"}, {"de", "", "de"}, {"de-AT", "", "de"}, {"DE_de", "", "de"},
		{"en", "", "en-us"}, {"en-ZA", "", "en-us"}, {"en-GB", "", "en-gb"}, {"en-IN", "", "en-gb"},
		{"es-AR", "", "es"}, {"es-CA", "", "ca"}, {"zn-CN", "", "cmn"}, {"zh-HK", "", "yue"}, {"zh-Hant-TW", "", "cmn"}, {"no-NO", "", "nb"},
		{"de-DE", "woman", "de+f2"}, {"de-DE", "Male", "de"}, {"de-DE", "+m3", "de+m3"}, {"de-DE", "en-us+f5", "en-us+f5"},
		{"xx-XX", "en-us", "en-us"},
		{"xx-XX", "", `the language "xx-XX" is not spoken here: write one of ar-SA, bg-BG, ca-ES,`},
		{"", "", `the language "" is not spoken here: write one of`},
		{"ge-DE", "", `the language "ge-DE" is not spoken here: did you mean de-DE? write one of`},
		{"de-DE", "../../etc/passwd", `"../../etc/passwd" cannot be a voice of espeak-ng: leave it out, or write man, woman, or a voice like de+f2`},
		{"de-DE", "-x", `"-x" cannot be a voice`}, {"de-DE", "+", `"+" cannot be a voice`}, {"de-DE", "a b", `"a b" cannot be a voice`},
	} {
		got, err := voiceOf(tt.language, tt.voice)
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, tt.want) || err == nil && got != tt.want {
			t.Errorf("%s, %s: %s, want %s", tt.language, tt.voice, got, tt.want)
		}
	}
}

// Text is text, whatever it looks like.
func TestEspeakText(t *testing.T) {
	t.Parallel()
	peer.Need(t, "espeak-ng", "espeak-ng")
	durations := map[string]time.Duration{}
	for _, text := range []string{"-v", "--help", "[[h@loU]]", "<b>a</b> & b", "a; rm -rf $HOME `id`"} {
		sound, err := Espeak{}.Speak(t.Context(), engine.Speech{Text: text, Language: "en-US"})
		if err != nil || loudness(sound) < 100_000 {
			t.Errorf("%q: %v", text, err)
			continue
		}
		durations[text] = sound.Duration()
	}
	if durations["[[h@loU]]"] < time.Second {
		t.Errorf("phonemes were read as such, in %s", durations["[[h@loU]]"])
	}
}

// program makes a shell script that stands for espeak-ng.
func program(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "espeak-ng")
	// Another test that forks now could hold the file open for writing.
	if err := exec.Command("sh", "-c", `printf '%s' "$1" > "$2" && chmod 700 "$2"`, "sh", "#!/bin/sh\n"+script, path).Run(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEspeakExplains(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ script, want string }{
		"a failure":            {"echo 'no   data' >&2; exit 3", `espeak-ng on the server failed (exit status 3): it said "no data"`},
		"a failure in silence": {"exit 3", "espeak-ng on the server failed (exit status 3): run it there by hand to see why"},
		"a voice it has not":   {"echo 'Error: The specified espeak-ng voice does not exist.' >&2; exit 1", `espeak-ng has no voice "de": leave it out, or write one that`},
		"much to say":          {"yes x | head -c 100000 >&2; exit 3", `it said "x x x`},
		"no sound":             {"cat", `text that begins with "Guten Tag"`},
		"nothing":              {"exit 0", "the file is empty"},
		"too much sound": {`printf 'RIFF\377\377\377\377WAVEfmt \020\000\000\000\001\000\040\000\104\254\000\000\000\000\000\000\200\000\040\000data\377\377\377\377'; exec cat /dev/zero`,
			"the text sounds for too long: make it shorter, or divide it into several"},
	} {
		_, err := Espeak{Program: program(t, tt.script)}.Speak(t.Context(), engine.Speech{Text: "Guten Tag", Language: "de-DE"})
		if err == nil || !strings.Contains(err.Error(), tt.want) || len(err.Error()) > 700 {
			t.Errorf("%s: %.800v, want %s", name, err, tt.want)
		}
	}
	for name, want := range map[string]string{
		"no-such-program-here": "the program espeak-ng is not on the server: install it there (apt-get install espeak-ng",
		"/no/such/program":     "the program espeak-ng is not on the server",
		t.TempDir():            "the program espeak-ng cannot be started on the server",
	} {
		if _, err := (Espeak{Program: name}).Speak(t.Context(), engine.Speech{Text: "Guten Tag", Language: "de-DE"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	if _, err := (Espeak{}).Speak(t.Context(), engine.Speech{Text: "x", Voice: "nosuch"}); err == nil || !strings.Contains(err.Error(), `no voice "nosuch"`) && !errors.Is(err, errMissing) {
		t.Errorf("a voice that is not there: %v", err)
	}
}

// A process has the text by its standard input only, nothing of our environment,
// and is dead when its call is, whoever else holds its pipes.
func TestEspeakProcess(t *testing.T) {
	t.Setenv("SPEECH_TEST_SECRET", "s3cret")
	folder := t.TempDir()
	script := fmt.Sprintf(`echo "$@" > %[1]s/arguments; /usr/bin/env > %[1]s/environment; sleep 60 & echo $$ > %[1]s/pid.new; mv %[1]s/pid.new %[1]s/pid; wait`, folder)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := Espeak{Program: program(t, "PATH=/usr/bin:/bin; "+script)}.Speak(ctx, engine.Speech{Text: "Guten Tag", Language: "de-DE"})
		failed <- err
	}()
	var pid []byte
	for deadline := time.Now().Add(time.Minute); len(pid) == 0 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		pid, _ = os.ReadFile(folder + "/pid")
	}
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	if stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/stat"); err == nil {
		t.Errorf("the process is still there: %s", stat)
	}
	if arguments, _ := os.ReadFile(folder + "/arguments"); string(arguments) != "--stdin --stdout -b 1 -v de\n" {
		t.Errorf("arguments %s", arguments)
	}
	if environment, err := os.ReadFile(folder + "/environment"); err != nil || strings.Contains(string(environment), "s3cret") {
		t.Errorf("environment %s (%v)", environment, err)
	}
}
