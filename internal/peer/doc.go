// SPDX-License-Identifier: MIT

// Package peer is for tests that run foreign programs: sipp, curl, node. It says
// which Debian package a missing one comes in, and ends what it started.
//
// Only tests import it. It never installs anything; tools/install-peers does.
//
// There is one file to read: peer.go.
package peer
