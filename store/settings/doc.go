// SPDX-License-Identifier: MIT

// Package settings owns the objects of the configuration: accounts, apps, users,
// groups, numbers, trunks and tokens. It lays what the configuration file says over
// what the database keeps, gives the whole to the Directory, and takes the changes
// that APIs make.
//
// Passwords and secrets are sealed before they reach the database (seal.go).
// This package never reads a file and never asks who may change what. Read
// settings.go first, then start.go.
package settings
