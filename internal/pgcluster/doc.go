// SPDX-License-Identifier: MIT

// Package pgcluster is for tests that need PostgreSQL: it makes a cluster of
// their own in a temporary folder, on a Unix socket and with no port, and takes
// it away again. Tests may stop it in the midst of their work and start it again.
//
// Only tests import it. It never touches a server that runs already, and it
// never installs anything; tools/install-peers does. Root need not step down:
// the server then runs as nobody.
//
// Read cluster.go first.
package pgcluster
