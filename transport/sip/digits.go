// SPDX-License-Identifier: MIT

package sip

import (
	"errors"
	"fmt"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/dtmf"
	"github.com/callwright/callwright/transport/sip/dialog"
	"github.com/callwright/callwright/transport/sip/info"
)

// infoDuration is how long a key that we send was down, and how long its sender
// means it to be: as long as the plane's.
const infoDuration = 100 * time.Millisecond

// keys is what a leg knows of the keys that come and go.
type keys struct {
	heard dtmf.Merger
	// byInfo has keys sent by SIP INFO, until the peer refuses one; waiting are
	// those to be sent, the first of them on its way.
	byInfo  bool
	waiting string
}

// count says whether a key that was told of is a new one. l.mu is held.
func (l *Leg) count(ev media.Event, down time.Duration) bool {
	return l.keys.heard.Count(ev.Digit, ev.Way, ev.At.Add(-down), ev.At)
}

// onInfo takes a key that came by INFO.
func (l *Leg) onInfo(contentType string, body []byte) (status int) {
	press, err := info.Parse(contentType, body)
	switch {
	case errors.Is(err, info.ErrType):
		return 415
	case errors.Is(err, info.ErrFlash):
		return 200
	case err != nil:
		return 400
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	ev := media.Event{Stream: l.stream, Kind: media.Digit, Digit: press.Key, Way: media.ByInfo, At: time.Now()}
	if l.count(ev, press.Duration) {
		l.tell(engine.LegMedia{Event: ev})
	}
	return 200
}

// SendDigits sends keys to the peer: by INFO if that is how it wants them, else
// in the sound or beside it.
func (l *Leg) SendDigits(digits string) error {
	var check dtmf.Sender
	if err := check.Queue(digits); err != nil {
		return err
	}
	l.mu.Lock()
	byInfo, idle := l.keys.byInfo && digits != "", l.keys.waiting == ""
	tooMany := len(l.keys.waiting)+len(digits) > dtmf.QueueSize
	if byInfo && !tooMany {
		l.keys.waiting += digits
	}
	l.mu.Unlock()
	switch {
	case !byInfo:
		return l.media.SendDigits(l.stream, digits)
	case tooMany:
		return fmt.Errorf("send %q: %w", digits, dtmf.ErrQueueFull)
	case !idle:
		return nil
	}
	if l.sendInfo(digits[0]) != nil { // the call is not answered yet, or over
		return l.media.SendDigits(l.stream, digits)
	}
	return nil
}

// sendInfo sends the first of the keys that wait. Outside a call that was
// answered none can be sent, and none wait any more.
func (l *Leg) sendInfo(key byte) error {
	press := info.Press{Key: key, Duration: infoDuration}
	l.mu.Lock()
	d := l.dialog
	l.mu.Unlock()
	err := d.Info(info.Relay, press.Body(info.Relay), l.infoReplied)
	if err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.keys.waiting = ""
	}
	return err
}

// infoReplied takes the answer to an INFO of ours: the next key follows, or from
// now on all go as the plane sends them.
func (l *Leg) infoReplied(r dialog.Reply) {
	l.mu.Lock()
	rest := l.keys.waiting
	switch {
	case !r.OK():
		l.keys.byInfo, l.keys.waiting = false, ""
		l.tell(engine.LegMessage{At: time.Now(), Peer: r.Peer,
			Summary: "keys by INFO: " + r.Reason + "; they go in the sound or as telephone-event from now on"})
	case len(rest) == 1:
		l.keys.waiting = ""
		l.tell(l.sent(nil))
	default:
		l.keys.waiting = rest[1:]
	}
	l.mu.Unlock()
	switch {
	case !r.OK():
		l.fallBack(rest)
	case len(rest) > 1:
		// It fails when the call is ending, and nobody waits for the rest.
		_ = l.sendInfo(rest[1])
	}
}

// fallBack has the plane send keys that INFO could not.
func (l *Leg) fallBack(digits string) {
	err := l.media.SendDigits(l.stream, digits)
	if err == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tell(l.sent(err))
}

// sent is what the plane tells when digits are on the wire, or why they are not.
func (l *Leg) sent(err error) engine.LegMedia {
	return engine.LegMedia{Event: media.Event{Stream: l.stream, Kind: media.DigitsSent, At: time.Now(), Err: err}}
}
