// SPDX-License-Identifier: MIT

// Package sipgate is the face that speaks as sipgate's REST API v2 does, under
// /v2: control of living calls (RTCM), new calls, history, and what belongs to an
// account. Code written for api.sipgate.com runs against it unchanged.
//
// It sees calls, settings and records by small interfaces, keeps nothing but who
// guesses tokens, and shows nobody anything of another account: an id that is
// unknown, malformed or somebody else's is the same 404.
//
// Read face.go first: its table has a row for everything that can be asked. Then
// admit.go (who asks) and one file for each part: calls.go, people.go …
package sipgate
