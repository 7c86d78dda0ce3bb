// SPDX-License-Identifier: MIT

// Package api is the HTTP server. It listens, answers whether the process
// lives and is ready, asks for the admin token, turns errors and panics into
// JSON, and keeps streams of server-sent events going.
//
// What is served besides that comes in faces, one sub-package each: admin is
// ours, others speak as a vendor does. cmd mounts each of them in one line.
//
// The router (echo) is known here and in the faces only, and the faces' work is
// done by services behind small interfaces. This package never looks into a
// call, a store or a document. Read server.go first, then answer.go.
package api
