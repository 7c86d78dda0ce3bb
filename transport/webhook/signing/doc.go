// SPDX-License-Identifier: MIT

// Package signing signs what is sent to apps, so that they can tell that it came
// from this server: RSA PKCS#1 v1.5 over the SHA-256 of the body (RFC 8017 section
// 8.2), in base64, as X-Sipgate-Signature carries it.
//
// It never touches a file or a request; it makes, writes and reads keys as PEM.
//
// There is one file to read: key.go.
package signing
