// SPDX-License-Identifier: MIT

package intake

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"net/netip"
	"strconv"
	"strings"
)

// defaultPort is where SIP is spoken if nothing is said (RFC 3261 section 19.1.2).
const defaultPort = 5060

// Way is where the response to a request that came as a datagram goes.
type Way struct {
	To netip.AddrPort
	// Received says that Via did not have the address that the request came
	// from, so that the response must name it.
	Received bool
}

// WayBack says where the response to a datagram goes, by the first Via and the
// address that the request came from. It is the port that Via names (RFC 3261
// section 18.2.2), or the very source if Via asks for that (RFC 3581 section 4).
// The source it is too if Via does not have its address: then Via was written
// behind a NAT, and the port in it is not to be reached from here.
func WayBack(host string, port int, rport bool, source netip.AddrPort) Way {
	source = netip.AddrPortFrom(source.Addr().Unmap(), source.Port())
	stated, err := netip.ParseAddr(strings.Trim(host, "[]"))
	received := err != nil || stated.Unmap() != source.Addr().WithZone("")
	switch {
	case rport, received:
		return Way{source, received || rport}
	case port == 0:
		port = defaultPort
	}
	return Way{netip.AddrPortFrom(source.Addr(), uint16(port)), false}
}

// Answer makes the answer to a request that came from a source: from its bytes,
// since nobody could parse it. reliable is for streams, whose answers go back the
// way the request came; else dest is where the answer goes. product is for Server
// and may be empty. There is no answer without a Status.
func (v Verdict) Answer(source netip.AddrPort, reliable bool, product string) (answer []byte, dest netip.AddrPort) {
	if v.Status == 0 {
		return nil, dest
	}
	source = netip.AddrPortFrom(source.Addr().Unmap(), source.Port())
	b := fmt.Appendf(nil, "SIP/2.0 %d %s\r\n", v.Status, v.Phrase)
	seen, vias, tag := [names]bool{}, 0, v.tag()
	for _, f := range v.cut.fields {
		value := f.value
		switch f.is {
		case via:
			if vias++; vias == 1 && !reliable {
				value, dest = firstHop(value, source)
			}
		case from, to, callID, cseq:
			if seen[f.is] {
				continue
			}
			seen[f.is] = true
			if f.is == to && !bytes.Contains(bytes.ToLower(value), []byte(";tag=")) {
				value = append(append(bytes.Clone(value), ";tag="...), tag...)
			}
		default:
			continue
		}
		b = append(append(append(append(b, title[f.is]...), ": "...), value...), "\r\n"...)
	}
	if product != "" {
		b = append(append(append(b, "Server: "...), product...), "\r\n"...)
	}
	if !dest.IsValid() {
		dest = source
	}
	return append(b, "Content-Length: 0\r\n\r\n"...), dest
}

// firstHop gives the first Via as the answer has it, and where the answer goes.
func firstHop(value []byte, source netip.AddrPort) ([]byte, netip.AddrPort) {
	t := text{s: string(value)}
	if bad := hop(&t); bad != "" {
		return value, source
	}
	written, params, _ := strings.Cut(t.out.String(), ";")
	_, sentBy, _ := strings.Cut(written, " ")
	host, port := sentBy, 0
	if i := strings.LastIndexByte(sentBy, ':'); i > strings.LastIndexByte(sentBy, ']') {
		host = sentBy[:i]
		port, _ = strconv.Atoi(sentBy[i+1:])
	}
	rport := false
	for p := range strings.SplitSeq(params, ";") {
		switch name, _, _ := strings.Cut(p, "="); strings.ToLower(name) {
		case "":
		case "received": // not for the sender to say
		case "rport":
			rport = true
			written += ";rport=" + strconv.Itoa(int(source.Port()))
		default:
			written += ";" + p
		}
	}
	way := WayBack(host, port, rport, source)
	if way.Received {
		written += ";received=" + source.Addr().String()
	}
	return []byte(written + t.s), way.To
}

// tag makes the tag of an answer. A repetition of the request gets the same one
// without anything being kept (RFC 3261 section 8.2.7).
func (v Verdict) tag() string {
	h := fnv.New64a()
	for _, is := range []name{via, callID, cseq, from} {
		h.Write(v.cut.first(is))
	}
	return strconv.FormatUint(h.Sum64(), 16)
}

// Invite tells of an INVITE: whom it is for and who it is from, as they stand
// there, however wrong. ok is false for anything else.
func (v Verdict) Invite() (uri, caller string, ok bool) {
	line, _ := requestLine(v.cut.start)
	return string(line.uri), string(v.cut.first(from)), line.method == "INVITE"
}

// Summary is the first line of a message, short enough for a log.
func (v Verdict) Summary() string {
	const most = 120
	line := v.cut.start
	if len(line) > most {
		line = line[:most]
	}
	return strings.ToValidUTF8(string(line), "?")
}
