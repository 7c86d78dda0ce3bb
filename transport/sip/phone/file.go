// SPDX-License-Identifier: MIT

package phone

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/codec"
	"github.com/callwright/callwright/media/prompt"
	"github.com/callwright/callwright/media/wav"
)

// PlayFile says what is in a sound file, in place of the tone, and waits until
// it is said.
func (c *Call) PlayFile(ctx context.Context, path string) error {
	sound, err := ReadFile(path)
	if err != nil {
		return err
	}
	return c.Play(ctx, sound)
}

// ReadFile gives the sound of a file, as Play takes it.
func ReadFile(path string) ([]int16, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("phone: play: %w", err)
	}
	defer f.Close()
	p, err := prompt.Decode(path, f)
	if err != nil {
		return nil, fmt.Errorf("phone: play: %w", err)
	}
	sound := make([]int16, len(p.ULaw))
	codec.Decode(media.PCMU, sound, p.ULaw)
	return sound, nil
}

// Save writes what was heard so far to a WAV file, which must not exist.
func (c *Call) Save(path string) error {
	sound := c.Sound()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("phone: save: %w", err)
	}
	w, err := wav.NewWriter(f, wav.PCM, 1)
	if err == nil {
		err = errors.Join(w.WriteSamples(sound), w.Close())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("phone: save %s: %w", path, err)
	}
	return nil
}
