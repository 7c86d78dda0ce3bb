// SPDX-License-Identifier: MIT

package engine

// Cause is why a Call ended, in our own words. Every end has exactly one.
type Cause string

// The causes of an end. The table below gives what each face makes of them.
const (
	// CauseNormal: somebody hung up after the call was established.
	CauseNormal Cause = "normal"
	// CauseBusy: the called party was busy.
	CauseBusy Cause = "busy"
	// CauseRejected: the called party, or the App, would not take the call.
	CauseRejected Cause = "rejected"
	// CauseNoAnswer: it rang, and nobody picked up.
	CauseNoAnswer Cause = "no-answer"
	// CauseCancelled: the caller gave up before anybody picked up, or an API hung up
	// for it.
	CauseCancelled Cause = "cancelled"
	// CauseElsewhere: another of several targets picked up.
	CauseElsewhere Cause = "answered-elsewhere"
	// CauseUnreachable: the called party could not be reached.
	CauseUnreachable Cause = "unreachable"
	// CauseNotFound: the number does not exist.
	CauseNotFound Cause = "not-found"
	// CauseOffline: the called party exists and is nowhere to be rung.
	CauseOffline Cause = "offline"
	// CauseForwarded: the call went to another party.
	CauseForwarded Cause = "forwarded"
	// CauseNoCodec: the two sides have no way to code sound in common.
	CauseNoCodec Cause = "no-codec"
	// CauseLoop: the call was passed on too often.
	CauseLoop Cause = "loop"
	// CauseNoAck: our answer was never acknowledged (RFC 3261 section 13.3.1.4).
	CauseNoAck Cause = "no-ack"
	// CauseMediaLost: nothing more was heard of a party in an established call.
	CauseMediaLost Cause = "media-lost"
	// CauseExpired: a party gave no sign of life when its session was to be
	// refreshed (RFC 4028).
	CauseExpired Cause = "session-expired"
	// CauseTransferred: a party was transferred to another.
	CauseTransferred Cause = "transferred"
	// CauseMaxDuration: the call reached the longest time that is allowed.
	CauseMaxDuration Cause = "max-duration"
	// CauseShutdown: the server was stopped.
	CauseShutdown Cause = "shutdown"
	// CauseInterrupted: the server died and found the call in its records.
	CauseInterrupted Cause = "interrupted"
	// CauseOverload: there was no room for the call.
	CauseOverload Cause = "overload"
	// CauseForbidden: a limit of the operator's does not allow the call.
	CauseForbidden Cause = "forbidden"
	// CauseFailed: something of ours went wrong; the timeline says what.
	CauseFailed Cause = "failed"
)

// Words are what one Cause is called by others.
type Words struct {
	// SIPStatus and SIPReason refuse a call that was not answered yet (RFC 3261
	// section 21).
	SIPStatus int
	SIPReason string
	// Q850 is the cause value of ITU-T Q.850, sent in a Reason header (RFC 3326).
	Q850 int
	// Sipgate is the hangup cause of the sipgate.io push API.
	Sipgate string
	// rank orders the outcomes of several targets: the greatest is told.
	rank int
}

// causes is the one table of causes. A new vendor adds a column.
var causes = map[Cause]Words{
	CauseNormal:      {480, "Temporarily Unavailable", 16, "normalClearing", 0},
	CauseBusy:        {486, "Busy Here", 17, "busy", 9},
	CauseRejected:    {603, "Decline", 21, "noAnswer", 8},
	CauseNoAnswer:    {480, "Temporarily Unavailable", 19, "noAnswer", 7},
	CauseCancelled:   {480, "Temporarily Unavailable", 16, "cancel", 0},
	CauseElsewhere:   {487, "Request Terminated", 26, "forwarded", 0},
	CauseUnreachable: {502, "Bad Gateway", 38, "congestion", 6},
	CauseNotFound:    {404, "Not Found", 1, "notFound", 4},
	CauseOffline:     {480, "Temporarily Unavailable", 20, "notFound", 3},
	CauseForwarded:   {480, "Temporarily Unavailable", 23, "forwarded", 0},
	CauseNoCodec:     {488, "Not Acceptable Here", 88, "congestion", 5},
	CauseLoop:        {483, "Too Many Hops", 25, "congestion", 6},
	CauseNoAck:       {408, "Request Timeout", 102, "congestion", 0},
	CauseMediaLost:   {480, "Temporarily Unavailable", 41, "congestion", 0},
	CauseExpired:     {408, "Request Timeout", 102, "congestion", 0},
	CauseTransferred: {480, "Temporarily Unavailable", 16, "forwarded", 0},
	CauseMaxDuration: {480, "Temporarily Unavailable", 16, "normalClearing", 0},
	CauseShutdown:    {503, "Service Unavailable", 41, "congestion", 2},
	CauseInterrupted: {503, "Service Unavailable", 41, "congestion", 0},
	CauseOverload:    {503, "Service Unavailable", 42, "congestion", 2},
	CauseForbidden:   {403, "Forbidden", 21, "congestion", 5},
	CauseFailed:      {500, "Server Internal Error", 41, "congestion", 1},
}

// Words gives what others call the cause; those of CauseFailed for a cause that
// is not in the table.
func (c Cause) Words() Words {
	if w, ok := causes[c]; ok {
		return w
	}
	return causes[CauseFailed]
}

// Better says whether c tells more than other about why none of several targets
// was reached: busy, then not answered, then unreachable, then not found.
func (c Cause) Better(other Cause) bool {
	return other == "" || c.Words().rank > other.Words().rank
}

// CauseOfStatus gives the cause of a final SIP status that refused a call; rang
// says whether the called party had been alerted before (a 480 after ringing is
// somebody who would not answer, one without is somebody who is not there).
func CauseOfStatus(status int, rang bool) Cause {
	switch {
	case status == 486 || status == 600:
		return CauseBusy
	case status == 603 || status == 403:
		return CauseRejected
	case status == 480 && rang:
		return CauseNoAnswer
	case status == 480:
		return CauseOffline
	case status == 404 || status == 410 || status == 484 || status == 485 || status == 604:
		return CauseNotFound
	case status == 483:
		return CauseLoop
	case status == 487 && rang || status == 408 && rang:
		return CauseNoAnswer
	}
	return CauseUnreachable
}
