// SPDX-License-Identifier: MIT

// Package config reads how callwright is set up: a YAML file, CALLWRIGHT_…
// environment variables over it, flags over both. It checks everything it can
// before anything is started, and its errors say what to change.
//
// It opens no socket and no database. Read config.go first: the structs there
// are the documentation of the keys.
package config
