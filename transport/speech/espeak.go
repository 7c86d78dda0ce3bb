// SPDX-License-Identifier: MIT

package speech

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/prompt"
)

// maxSound is how many bytes of WAV are taken from a provider. espeak-ng writes
// 44100 a second: it is six minutes.
const maxSound = 16 << 20

var (
	errTooMuchSound = errors.New("the text sounds for too long: make it shorter, or divide it into several")
	errMissing      = errors.New("the program espeak-ng is not on the server: install it there (apt-get install espeak-ng, brew install espeak-ng), or set speech.provider: http")
)

// Espeak speaks by the program espeak-ng. Every text has a process of its own.
type Espeak struct {
	// Program is its name or path; empty is espeak-ng, where PATH has it.
	Program string
}

// Speaks says, by an error that is a sentence, that no voice is known of a
// language.
func (e Espeak) Speaks(language string) error {
	_, err := voiceOfLanguage(language)
	return err
}

// Installed says, by an error that is a sentence, that the program is not there.
func (e Espeak) Installed() error {
	if _, err := exec.LookPath(e.program()); err != nil {
		return notStarted(err)
	}
	return nil
}

func (e Espeak) program() string { return cmp.Or(e.Program, "espeak-ng") }

// Speak runs the program.
func (e Espeak) Speak(ctx context.Context, what engine.Speech) (*media.Prompt, error) {
	voice, err := voiceOf(what.Language, what.Voice)
	if err != nil {
		return nil, err
	}
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(own, e.program(), "--stdin", "--stdout", "-b", "1", "-v", voice)
	cmd.Env = []string{"LC_ALL=C.UTF-8"} // the server's own may hold its secrets
	// [[ begins phonemes, which are not text.
	cmd.Stdin = strings.NewReader(strings.ReplaceAll(what.Text, "[[", "[ ["))
	said := &shortened{}
	cmd.Stderr = said
	// Who inherited its pipes does not hold us up when it is dead.
	cmd.WaitDelay = time.Second
	read, write, err := os.Pipe()
	if err != nil {
		return nil, notStarted(err)
	}
	defer read.Close()
	cmd.Stdout = write
	err = cmd.Start()
	write.Close() // ours: the process has its own
	if err != nil {
		return nil, notStarted(err)
	}
	defer context.AfterFunc(own, func() { read.Close() })()
	// However long we take to read it: what the process wrote is there to its end.
	out := &ending{Reader: read}
	sound, fault := decode(what, out)
	if !out.ended {
		cancel() // what is not read is not to be written
	}
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil && (fault != nil || err != nil):
		return nil, ctx.Err()
	case out.ended && err != nil && !errors.Is(err, exec.ErrWaitDelay): // it ended by itself
		return nil, failed(err, voice, said.String())
	case fault != nil:
		return nil, fault
	}
	return sound, nil
}

// ending is a Reader that knows whether all was read.
type ending struct {
	io.Reader
	ended bool
}

// Read implements io.Reader.
func (e *ending) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	e.ended = e.ended || err == io.EOF
	return n, err
}

// decode reads a sound file that a provider made of a text.
func decode(what engine.Speech, r io.Reader) (*media.Prompt, error) {
	limited := &io.LimitedReader{R: r, N: maxSound + 1}
	sound, err := prompt.Decode(nameOf(what), limited)
	if limited.N <= 0 {
		return nil, errTooMuchSound
	}
	if err != nil {
		return nil, err
	}
	sound.Text = what.Text
	_, err = io.Copy(io.Discard, limited) // what may stand behind the sound
	return sound, err
}

// notStarted says why there is no process.
func notStarted(err error) error {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return &OutageError{errMissing}
	}
	return &OutageError{fmt.Errorf("the program espeak-ng cannot be started on the server: %w", err)}
}

// failed says why a process ended badly, by what it said itself.
func failed(err error, voice, said string) error {
	if strings.Contains(said, "voice does not exist") {
		return fmt.Errorf("espeak-ng has no voice %q: leave it out, or write one that `espeak-ng --voices` shows on the server", voice)
	}
	if said == "" {
		return &OutageError{fmt.Errorf("espeak-ng on the server failed (%w): run it there by hand to see why", err)}
	}
	return &OutageError{fmt.Errorf("espeak-ng on the server failed (%w): it said %q", err, said)}
}

// shortened keeps the beginning of what a program says.
type shortened struct{ b bytes.Buffer }

// Write implements io.Writer.
func (s *shortened) Write(p []byte) (int, error) {
	s.b.Write(p[:min(len(p), max(0, 500-s.b.Len()))])
	return len(p), nil
}

// String is what was said, in one line.
func (s *shortened) String() string { return strings.Join(strings.Fields(s.b.String()), " ") }

var _ Provider = Espeak{}
