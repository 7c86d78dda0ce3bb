// SPDX-License-Identifier: MIT

package wav

import (
	"bytes"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// sniffed is how much of a file is looked at to say what it is.
const sniffed = 512

// signatures are how the files begin that customers give us for WAV.
var signatures = []struct{ prefix, name string }{
	{"ID3", "MP3"},
	{"OggS", "Ogg"},
	{"fLaC", "FLAC"},
	{"FORM", "AIFF"},
	{".snd", "Sun AU"},
	{"#!AMR", "AMR"},
	{"RIFX", "a big-endian WAV (RIFX)"},
	{"RF64", "a WAV over 4 GiB (RF64)"},
	{"RIFF", "RIFF, but not WAVE"},
	{"\x1f\x8b", "compressed with gzip"},
	{"PK\x03\x04", "a ZIP archive"},
}

// notWAV gives the error for a file that begins with head and is no WAV. It
// says what the file looks like instead.
func notWAV(head []byte) error {
	if len(head) == 0 {
		return errors.New("the file is empty; " + playable)
	}
	if bytes.HasPrefix(head, []byte("RIFF")) && len(head) < riffHeader {
		return errCutOff
	}
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.prefix)) {
			return convert(s.name)
		}
	}
	if len(head) >= 8 && string(head[4:8]) == "ftyp" {
		return convert("MP4")
	}
	// Frames of MPEG audio without a tag before them: a run of set bits, then a
	// version and the layer, which is III for MP3 and 0 for AAC.
	if len(head) >= 2 && head[0] == 0xFF {
		switch {
		case head[1]&0xE6 == 0xE2:
			return convert("MP3")
		case head[1]&0xF6 == 0xF0:
			return convert("AAC")
		}
	}
	return notSound(head)
}

// convert gives the error for sound in another kind of file.
func convert(name string) error {
	return fmt.Errorf("the file is %s; %s: convert it with `ffmpeg -i FILE -ar 8000 -ac 1 -c:a pcm_s16le out.wav`", name, playable)
}

// notSound gives the error for a file that is none of the kinds of sound that
// we know of. Mostly it is the page of a web server that wants to say something.
func notSound(head []byte) error {
	text := bytes.TrimLeftFunc(bytes.TrimPrefix(head, []byte("\uFEFF")), unicode.IsSpace)
	lower := bytes.ToLower(text)
	if bytes.HasPrefix(lower, []byte("<!doctype html")) || bytes.HasPrefix(lower, []byte("<html")) {
		return errors.New("the file is not sound but a web page (HTML): check that its address leads to the WAV file itself")
	}
	if isText(head) {
		shown := []rune(string(text))
		shown = shown[:min(len(shown), 40)]
		return fmt.Errorf("the file is not sound but text that begins with %q: check that its address leads to the WAV file itself", string(shown))
	}
	return fmt.Errorf("the file is not a WAV file, it begins with the bytes % x; %s", head[:min(len(head), 12)], playable)
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
