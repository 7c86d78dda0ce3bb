// SPDX-License-Identifier: MIT

// Package mwi has phones show that messages wait: the event package
// message-summary (RFC 3842), on the subscriptions of RFC 6665.
//
// A phone that subscribes is notified at once, whenever the counts change, and
// until it does not refresh any more. One that is registered and has not subscribed
// is notified all the same, as many PBXs do: when it registers, and when the counts
// change.
//
// It never counts messages and never looks at a SIP message: who asks it has
// checked the credentials, and dialog sends what it says.
//
// Read lamps.go first, then subscribe.go (phones that ask) and lamp.go (one phone).
package mwi
