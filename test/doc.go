// SPDX-License-Identifier: MIT

// Package test runs the callwright program as a whole, as an operator would,
// against foreign SIP peers: sipp plays callers and targets message by message,
// baresip and linphone are telephones, Kamailio is the proxy in front, and the
// test is the customer's app, or an app of examples/sipgateio-node is, on the
// official client of sipgate.io.
//
// There is no code in the package itself. Whatever can be tested inside one
// process is tested beside its package; here is what only two processes and
// real sockets can show. Each test has a server and addresses of its own.
//
// Read scenarios_test.go first, whose scenarios are in sipp/, then
// telephones_test.go, then sipgateio_test.go.
package test
