// SPDX-License-Identifier: MIT

// Package examples holds customer apps that run offline: one phone menu in Go,
// Python and Node, and reception, which is built into callwright.
//
// In sipgateio-node are apps on the official client of sipgate.io, which need the
// network once, to install it; the package test in test/ runs them.
//
// There is no code in the package itself, and nothing here imports callwright:
// an app needs a web server and XML, no library of ours. Its test runs every
// app and sends it the requests that the documentation of sipgate.io gives.
//
// Read go/main.go first, or the same in python/app.py or node/app.js.
package examples
