// SPDX-License-Identifier: MIT

package main

type demoCommand struct{}

// Run is not here yet.
func (demoCommand) Run(*world) error { return nil }
