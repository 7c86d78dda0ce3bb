// SPDX-License-Identifier: MIT

// Package send plays the engine towards an app: it words one push, sends it,
// and says what the engine would make of the answer, without any call.
//
// The words are the dialect's and the client is the one that serves calls, so
// an app cannot tell the difference. Nothing is carried out. Read push.go, then
// exchange.go.
package send
