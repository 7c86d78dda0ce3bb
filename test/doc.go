// SPDX-License-Identifier: MIT

// Package test runs the callwright program as a whole, as an operator would,
// against foreign SIP peers: sipp plays the caller and the targets, the test is
// the customer's app.
//
// There is no code in the package itself. Whatever can be tested inside one
// process is tested beside its package; here is what only two processes and
// real sockets can show. Each test has a server and addresses of its own.
//
// Read scenarios_test.go first; the scenarios are in sipp/.
package test
