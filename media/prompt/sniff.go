// SPDX-License-Identifier: MIT

package prompt

import (
	"bytes"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// sniffed is how much of a file is looked at to say what it is.
const sniffed = 512

// playable is what errors tell customers to bring.
const playable = "callwright plays WAV and MP3"

// signatures are how the files begin that customers give us for sound.
var signatures = []struct{ prefix, name string }{
	{"OggS", "Ogg (Vorbis or Opus)"},
	{"fLaC", "FLAC"},
	{"FORM", "AIFF"},
	{".snd", "Sun AU"},
	{"#!AMR", "AMR"},
	{"RIFX", "a big-endian WAV (RIFX)"},
	{"RF64", "a WAV over 4 GiB (RF64)"},
	{"RIFF", "RIFF, but not WAVE"},
	{"\x1A\x45\xDF\xA3", "WebM or Matroska"},
	{"\x30\x26\xB2\x75", "WMA"},
	{"\x1f\x8b", "compressed with gzip"},
	{"PK\x03\x04", "a ZIP archive"},
	{"%PDF", "a PDF document"},
}

// isWAV says whether a file begins like WAV, also when it is cut off there.
func isWAV(head []byte) bool {
	if len(head) < 12 {
		return len(head) >= 4 && string(head[:4]) == "RIFF"
	}
	return string(head[:4]) == "RIFF" && string(head[8:12]) == "WAVE"
}

// isMP3 says whether a file begins like MP3: with a tag, or with a frame of
// layer III.
func isMP3(head []byte) bool {
	return bytes.HasPrefix(head, []byte("ID3")) || len(head) >= 2 && head[0] == 0xFF && head[1]&0xE6 == 0xE2
}

// unplayable gives the error for a file that begins with head and is neither.
// It says what the file looks like, and what to send instead.
func unplayable(head []byte) error {
	if len(head) == 0 {
		return errors.New("the file is empty; " + playable)
	}
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.prefix)) {
			return foreign(s.name)
		}
	}
	if len(head) >= 8 && string(head[4:8]) == "ftyp" {
		return foreign("MP4 (M4A)")
	}
	// Frames of MPEG audio: a run of set bits, then a version and the layer,
	// which is 0 for AAC.
	if len(head) >= 2 && head[0] == 0xFF && head[1]&0xE0 == 0xE0 {
		switch head[1] & 0x06 {
		case 0x00:
			if head[1]&0xF0 == 0xF0 {
				return foreign("AAC")
			}
		case 0x04:
			return foreign("MPEG audio of layer II (MP2)")
		}
	}
	return notSound(head)
}

// foreign gives the error for sound in another kind of file.
func foreign(name string) error {
	return fmt.Errorf("the file is %s; %s: convert it with `ffmpeg -i FILE -ar 8000 -ac 1 -c:a pcm_s16le out.wav`", name, playable)
}

// notSound gives the error for a file that is none of the kinds of sound that
// we know of. Mostly it is the page of a web server that wants to say something.
func notSound(head []byte) error {
	text := bytes.TrimLeftFunc(bytes.TrimPrefix(head, []byte("\uFEFF")), unicode.IsSpace)
	lower := bytes.ToLower(text)
	if bytes.HasPrefix(lower, []byte("<!doctype html")) || bytes.HasPrefix(lower, []byte("<html")) {
		return errors.New("the file is not sound but a web page (HTML): check that its address leads to the sound file itself")
	}
	if isText(head) {
		shown := []rune(string(text))
		shown = shown[:min(len(shown), 40)]
		return fmt.Errorf("the file is not sound but text that begins with %q: check that its address leads to the sound file itself", string(shown))
	}
	return fmt.Errorf("the file is neither WAV nor MP3, it begins with the bytes % x; %s", head[:min(len(head), 12)], playable)
}

// isText says whether these bytes, of which the last character may be cut in
// two, can be read by people.
func isText(b []byte) bool {
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			return !utf8.FullRune(b)
		}
		if !unicode.IsPrint(r) && !unicode.IsSpace(r) {
			return false
		}
		b = b[size:]
	}
	return true
}
