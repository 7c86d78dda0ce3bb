// SPDX-License-Identifier: MIT

// Package sample runs the sample customer app beside the server, on a port of
// its own, so that the two speak HTTP as they would anywhere.
//
// What the app answers is not here but in examples/reception. Read sample.go.
package sample
