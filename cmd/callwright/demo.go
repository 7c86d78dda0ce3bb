// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"log/slog"

	"github.com/callwright/callwright/cmd/callwright/internal/demo"
)

type demoCommand struct{}

// Run runs the demo.
func (demoCommand) Run(w *world) error {
	if err := demo.Run(w.ctx, w.out, w.logger(slog.LevelWarn)); err != nil {
		return fmt.Errorf("the demo failed: %w", err)
	}
	return nil
}
