// SPDX-License-Identifier: MIT

package prompt

import (
	"context"
	"fmt"
	"os"

	"github.com/callwright/callwright/media"
)

// Files gives sound files of this machine by their paths.
type Files struct{}

// Prompt reads a file, as Decode does.
func (Files) Prompt(_ context.Context, path string) (*media.Prompt, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read prompt: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read prompt: %s is no file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read prompt: %w", err)
	}
	defer file.Close()
	return Decode(path, file)
}
