// SPDX-License-Identifier: MIT

// Package webhook is how callwright speaks HTTP to customers' servers: it sends
// what an App is asked and told (Client) and fetches the sound files that an
// App names (Prompts).
//
// Customers' URLs and customers' servers are not trusted. Every connection, of
// a redirect too, passes the egress guard on the address it really goes to;
// every exchange ends in time, whatever the server does; every reply has a
// limit, counted after decompression. User names and passwords in URLs are
// sent, never shown.
//
// It never reads a document, never decides what a failure means for a call and
// never uses a proxy from the environment. Errors are sentences for the
// customer. Read client.go first, then exchange.go; for sound prompts.go, then
// fresh.go.
package webhook
