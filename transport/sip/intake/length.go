// SPDX-License-Identifier: MIT

package intake

import "bytes"

// How long a message may be, in bytes.
const (
	MaxHeader  = 16 << 10
	maxBody    = 64 << 10
	MaxMessage = MaxHeader + maxBody
)

// Length gives the length of the message that buf begins with, the bytes of a
// stream behind the last message and any line ends; 0 if more must come to know
// it. A Verdict with a Reason says that nobody can know where the message ends, or
// that it is too long: send the Answer, if there is one, and close the connection
// (RFC 3261 section 18.3). No more than MaxHeader bytes are needed to tell.
func Length(buf []byte) (int, Verdict) {
	end := bytes.Index(buf[:min(len(buf), MaxHeader)], []byte("\r\n\r\n"))
	if end < 0 {
		if len(buf) < MaxHeader && likely(buf) {
			return 0, Verdict{}
		}
		return 0, endless(buf[:min(len(buf), MaxHeader)], statusMessageTooLarge, "Message Too Large")
	}
	head := buf[:end+4]
	m := cut(head)
	length := m.first(contentLength)
	switch n := m.count()[contentLength]; {
	case n == 0:
		return 0, endless(head, statusBadRequest, "Missing Content-Length Header")
	case n > 1:
		return 0, endless(head, statusBadRequest, "More Than One Content-Length Header")
	case !isNumber(string(length), 1<<31-1):
		return 0, endless(head, statusBadRequest, "Content-Length: Number Out Of Range")
	case !isNumber(string(length), maxBody):
		return 0, endless(head, statusBodyTooLarge, "Request Entity Too Large")
	}
	return len(head) + number(length), Verdict{}
}

// likely says whether what came so far may be a message of SIP: its first line,
// if that is there, says so.
func likely(buf []byte) bool {
	line, _, whole := bytes.Cut(buf, []byte("\r\n"))
	if !whole {
		return len(line) == 0 || line[0] > ' ' && line[0] < 0x7f || line[0] == '\r'
	}
	request, _ := requestLine(line)
	return request.version != "" || version(line) != ""
}

// endless refuses a message by its header, because its end cannot be found.
func endless(head []byte, status int, phrase string) Verdict {
	v := Verdict{Reason: phrase, cut: cut(head)}
	line, _ := requestLine(v.cut.start)
	switch {
	case !v.IsSIP():
		v.Reason = "not a SIP message"
	case line.version != "" && line.method != "ACK" && v.cut.first(via) != nil:
		v.Status, v.Phrase = status, phrase
	}
	return v
}

// number gives the value of digits that isNumber has seen.
func number(digits []byte) int {
	n := 0
	for _, c := range digits {
		n = 10*n + int(c-'0')
	}
	return n
}
