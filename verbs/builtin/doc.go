// SPDX-License-Identifier: MIT

// Package builtin holds programs of our own, written in the same verbs that
// apps use. It parses nothing and asks nobody. Read deliver.go first.
package builtin
