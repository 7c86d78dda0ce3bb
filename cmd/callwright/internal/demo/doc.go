// SPDX-License-Identifier: MIT

// Package demo is one telephone call from end to end on this machine: a whole
// server, a sample customer app on another port, and two phones over real
// sockets. Everything that happens is printed as it happens, and everything
// that should happen is checked.
//
// It decides nothing: it is what an app developer sees first. Read demo.go.
package demo
