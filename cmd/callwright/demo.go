// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"log/slog"

	"github.com/callwright/callwright/cmd/callwright/internal/demo"
)

type demoCommand struct{}

// Help teaches the command.
func (demoCommand) Help() string {
	return `Runs a server, a sample app and two phones over real sockets on this machine: phone A calls, hears a prompt, types a PIN and is connected with phone B; each must hear the other's tone. The record that stays is printed at the end. It takes some ten seconds and leaves nothing behind.

Examples:

  callwright demo
  callwright demo && echo all is well here`
}

// Run runs the demo.
func (demoCommand) Run(w *world) error {
	if err := demo.Run(w.ctx, w.out, w.logger(slog.LevelWarn)); err != nil {
		return fmt.Errorf("the demo failed: %w", err)
	}
	return nil
}
