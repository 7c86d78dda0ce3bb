// SPDX-License-Identifier: MIT

package info

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/media/dtmf"
)

// The forms of a body, by their content types.
const (
	Relay = "application/dtmf-relay"
	Plain = "application/dtmf"
)

// Accept is what can be read, as an Accept header says it.
const Accept = Relay + ", " + Plain

// ErrType says that a body is of neither form: 415 in SIP.
var ErrType = errors.New("not " + Relay + " nor " + Plain)

// ErrFlash says that the hook was tapped, which is sent like a key and is none.
var ErrFlash = errors.New("a tap on the hook is no key")

// longest is the longest that a key can be said to have been down. More is not
// believed: it would be taken for presses of long ago.
const longest = time.Minute

// Press is a key that was pressed.
type Press struct {
	Key byte // one of 0-9 * # A-D
	// Duration is for how long, 0 if that was not said. Some telephones tell a
	// key when it goes down, with a duration of their choice, others when it
	// comes up.
	Duration time.Duration
}

// Parse reads a body. The error is ErrType, ErrFlash, or says why there is no
// key in it.
func Parse(contentType string, body []byte) (Press, error) {
	kind, _, _ := strings.Cut(contentType, ";")
	text := strings.TrimSpace(string(body))
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case Relay:
	case Plain:
		if !strings.Contains(text, "=") { // some send the other form by this name
			key, err := parseKey(text)
			return Press{Key: key}, err
		}
	default:
		return Press{}, fmt.Errorf("%q is %w", contentType, ErrType)
	}
	signal, duration := "", time.Duration(0)
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\r' || r == '\n' }) {
		name, value, _ := strings.Cut(line, "=")
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "signal":
			signal = value
		case "duration":
			if ms, err := strconv.ParseUint(value, 10, 32); err == nil {
				duration = min(time.Duration(ms)*time.Millisecond, longest)
			}
		}
	}
	key, err := parseKey(signal)
	if err != nil {
		return Press{}, err
	}
	return Press{Key: key, Duration: duration}, nil
}

// parseKey reads a key, or the number of its telephone-event (RFC 4733 section
// 3.2): 10 is *, 11 is #, 12 to 15 are A to D, and 16 is the hook.
func parseKey(s string) (byte, error) {
	if s == "!" || s == "16" {
		return 0, ErrFlash
	}
	if len(s) == 1 {
		if code, ok := dtmf.Code(s[0]); ok {
			key, _ := dtmf.Key(code) // a becomes A
			return key, nil
		}
	}
	if code, err := strconv.ParseUint(s, 10, 8); err == nil {
		if key, ok := dtmf.Key(uint8(code)); ok {
			return key, nil
		}
	}
	return 0, fmt.Errorf("%q is no key", s)
}

// Body writes a press in one of the forms, by its content type.
func (p Press) Body(contentType string) []byte {
	if contentType == Plain {
		return []byte{p.Key}
	}
	return fmt.Appendf(nil, "Signal=%c\r\nDuration=%d\r\n", p.Key, p.Duration.Milliseconds())
}
