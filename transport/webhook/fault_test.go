// SPDX-License-Identifier: MIT

package webhook

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// A fault of ours while a file is fetched fails that file, not the process.
func TestAFaultFailsOneFile(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	p := NewPrompts(PromptsConfig{Client: &Client{config: Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}}}) // it has nothing to ask with
	defer p.Close()
	_, err := p.Prompt(t.Context(), "http://127.0.0.1/a.wav")
	if err == nil || !strings.Contains(err.Error(), "the server has a fault") {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(log.String(), "panic=") || !strings.Contains(log.String(), "prompts.go") {
		t.Errorf("the log says %q", log.String())
	}
}
