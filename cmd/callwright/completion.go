// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"io"

	"github.com/alecthomas/kong"

	"github.com/callwright/callwright/cmd/callwright/internal/complete"
)

type completionCommand struct {
	Shell string `arg:"" help:"The shell: ${enum}." enum:"bash,zsh,fish"`
}

// Help teaches the command.
func (completionCommand) Help() string {
	return `Prints the script that has a shell complete commands, flags and their values.

Examples:

  source <(callwright completion bash)      in ~/.bashrc
  source <(callwright completion zsh)       in ~/.zshrc, behind compinit
  callwright completion fish | source       in ~/.config/fish/config.fish`
}

// Run prints the script.
func (c completionCommand) Run(w *world) error {
	_, err := io.WriteString(w.out, complete.Script(c.Shell))
	return err
}

// completeCommand is what the scripts ask.
type completeCommand struct {
	Words []string `arg:"" optional:""`
}

// Run prints the words that may come next.
func (c completeCommand) Run(w *world, k *kong.Kong) error {
	for _, candidate := range complete.Candidates(k.Model, c.Words) {
		if _, err := fmt.Fprintf(w.out, "%s\t%s\n", candidate.Word, candidate.Help); err != nil {
			return err
		}
	}
	return nil
}
