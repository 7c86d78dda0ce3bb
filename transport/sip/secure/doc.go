// SPDX-License-Identifier: MIT

// Package secure makes TLS out of PEM files: for those who connect to us, and
// for those whom we connect to.
//
// The files are looked at again while the server runs. A certificate that was
// renewed is shown from the next connection on; one that cannot be used is told
// to the log, and the last good one stays. What fails is said in a sentence that
// names the setting and what to change.
//
// It never opens a connection, and never skips the check of a certificate.
//
// Read server.go first, then client.go and explain.go.
package secure
