// SPDX-License-Identifier: MIT

package sdp

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/media"
	pion "github.com/pion/sdp/v3"
)

// errEmpty says that there is no description at all.
var errEmpty = errors.New("the body is empty")

// parse reads the streams of a description.
func parse(body []byte) ([]stream, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, errEmpty
	}
	text, names, err := tame(body)
	if err != nil {
		return nil, err
	}
	var d pion.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return nil, err
	}
	var streams []stream
	for i, m := range d.MediaDescriptions {
		st := stream{media: names[i][0], proto: names[i][2], formats: names[i][3:]}
		if st.media == "audio" && spoken(st.proto) {
			if st, err = parseAudio(st, &d, m); err != nil {
				return nil, fmt.Errorf("m= line %d: %w", i+1, err)
			}
		}
		streams = append(streams, st)
	}
	return streams, nil
}

// tame gives a description that pion/sdp can read, and the fields of its m=
// lines as they were. pion refuses streams of a kind it does not know ("image"
// with T.38 fax) and session ids beyond 64 bits; we need neither, because those
// streams are refused and the o= line of a peer is never looked at. It also
// misses a last line without its end.
func tame(body []byte) (text string, names [][]string, err error) {
	var b strings.Builder
	for line := range strings.Lines(string(body)) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "o="):
			line = "o=- 0 0 IN IP4 0.0.0.0"
		case strings.HasPrefix(line, "m="):
			fields := strings.Fields(line[2:])
			if len(fields) < 4 {
				return "", nil, fmt.Errorf("%q is no whole m= line", line)
			}
			names = append(names, fields)
			if fields[0] != "audio" || !spoken(fields[2]) {
				line = "m=application 0 UDP 0"
			}
		}
		b.WriteString(line)
		b.WriteString("\r\n")
	}
	return b.String(), names, nil
}

// parseAudio reads what belongs to an audio stream over RTP.
func parseAudio(st stream, d *pion.SessionDescription, m *pion.MediaDescription) (stream, error) {
	port := m.MediaName.Port.Value
	if port < 0 || port > 65535 {
		return st, fmt.Errorf("port %d is out of range", port)
	}
	st.port = uint16(port)
	st.codecs, st.telephoneEvent = parseFormats(m)
	st.packetTime = parsePacketTime(m)
	st.direction = parseDirection(d.Attributes, sendrecv)
	st.direction = parseDirection(m.Attributes, st.direction)
	st.cryptos, st.unusable = parseCryptos(m)
	if st.port == 0 {
		return st, nil
	}
	c := m.ConnectionInformation
	if c == nil {
		c = d.ConnectionInformation
	}
	if c == nil || c.Address == nil {
		return st, errors.New("there is no c= line that says where to send")
	}
	addr, err := netip.ParseAddr(c.Address.Address)
	if err != nil {
		return st, fmt.Errorf("c= line: %q is no IP address", c.Address.Address)
	}
	st.addr = addr.Unmap().WithZone("")
	st.control = parseControl(m, st.addr)
	return st, nil
}

// parseCryptos gives the a=crypto lines that can be used, in their order, and why
// the first of the others cannot.
func parseCryptos(m *pion.MediaDescription) (usable []crypto, unusable error) {
	for _, a := range m.Attributes {
		if a.Key != "crypto" {
			continue
		}
		c, err := parseCrypto(a.Value)
		switch {
		case err == nil:
			usable = append(usable, c)
		case unusable == nil:
			unusable = err
		}
	}
	return usable, unusable
}

// parseControl reads where RTCP goes. A line that means nothing is left out: the
// port above is as good a guess.
func parseControl(m *pion.MediaDescription, host netip.Addr) (c control) {
	_, c.mux = m.Attribute("rtcp-mux")
	value, ok := m.Attribute("rtcp")
	fields := strings.Fields(value) // port [IN IP4 address]
	if c.mux || !ok || len(fields) != 1 && len(fields) != 4 {
		return c
	}
	if len(fields) == 4 {
		other, err := netip.ParseAddr(fields[3])
		if err != nil {
			return c
		}
		host = other.Unmap().WithZone("")
	}
	if port, err := strconv.ParseUint(fields[0], 10, 16); err == nil && port != 0 && !host.IsUnspecified() && !host.IsMulticast() {
		c.at = netip.AddrPortFrom(host, uint16(port))
	}
	return c
}

// parseDirection gives the last direction attribute, or what was before.
func parseDirection(attributes []pion.Attribute, before direction) direction {
	for _, a := range attributes {
		switch d := direction(a.Key); d {
		case sendrecv, sendonly, recvonly, inactive:
			before = d
		}
	}
	return before
}

// The packet times that make sense for a call. What is beyond them is a mistake
// of the peer's and ignored.
const (
	shortest = 10 * time.Millisecond
	longest  = 60 * time.Millisecond
)

// parsePacketTime gives the packet time that a stream asks for (RFC 8866 section
// 6.4), which is never more than the most that it takes (section 6.5).
func parsePacketTime(m *pion.MediaDescription) time.Duration {
	read := func(name string) time.Duration {
		value, _ := m.Attribute(name)
		ms, err := strconv.ParseUint(strings.TrimSpace(value), 10, 16)
		if d := time.Duration(ms) * time.Millisecond; err == nil && d >= shortest && d <= longest {
			return d
		}
		return 0
	}
	wanted, most := read("ptime"), read("maxptime")
	if most != 0 && (wanted > most || wanted == 0 && most < media.FrameDuration) {
		return most
	}
	return wanted
}

// parseFormats gives our codecs among the formats of a stream, in its order,
// and the payload type of telephone-event/8000 or 0.
func parseFormats(m *pion.MediaDescription) (codecs []media.Codec, event uint8) {
	named := map[string]string{"0": "pcmu/8000", "8": "pcma/8000"} // RFC 3551 section 6
	for _, a := range m.Attributes {
		if pt, name, ok := strings.Cut(a.Value, " "); ok && a.Key == "rtpmap" {
			named[pt] = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(name)), "/1")
		}
	}
	for _, format := range m.MediaName.Formats {
		pt, err := strconv.ParseUint(format, 10, 7)
		if err != nil {
			continue
		}
		codec := media.Codec(pt)
		switch named[format] {
		case "pcmu/8000":
			if codec == media.PCMU && !slices.Contains(codecs, codec) {
				codecs = append(codecs, codec)
			}
		case "pcma/8000":
			if codec == media.PCMA && !slices.Contains(codecs, codec) {
				codecs = append(codecs, codec)
			}
		case "telephone-event/8000":
			if event == 0 {
				event = uint8(pt)
			}
		}
	}
	return codecs, event
}

// print writes our description of the streams, with a new version if anything
// changed since the last.
func (s *Session) print(streams []stream) []byte {
	family := "IP4"
	if s.local.Addr().Unmap().Is6() {
		family = "IP6"
	}
	host := s.local.Addr().Unmap().WithZone("").String()
	d := pion.SessionDescription{
		SessionName: "callwright",
		ConnectionInformation: &pion.ConnectionInformation{
			NetworkType: "IN", AddressType: family, Address: &pion.Address{Address: host},
		},
		TimeDescriptions: []pion.TimeDescription{{}},
	}
	for _, st := range streams {
		d.MediaDescriptions = append(d.MediaDescriptions, st.print())
	}
	d.Origin = pion.Origin{
		Username: "-", SessionID: s.id,
		NetworkType: "IN", AddressType: family, UnicastAddress: host,
	}
	if body := marshal(&d); body != s.last {
		s.last, s.version = body, s.version+1
	}
	d.Origin.SessionVersion = s.version
	return []byte(marshal(&d))
}

// marshal prints d. pion's Marshal has an error result and no way to fail.
func marshal(d *pion.SessionDescription) string {
	b, _ := d.Marshal()
	return string(b)
}

// print gives the m= line of a stream of ours, or of one that we refuse.
func (st stream) print() *pion.MediaDescription {
	if st.port == 0 {
		return &pion.MediaDescription{MediaName: pion.MediaName{
			Media: st.media, Protos: strings.Split(st.proto, "/"), Formats: st.formats,
		}}
	}
	m := &pion.MediaDescription{MediaName: pion.MediaName{
		Media: "audio", Port: pion.RangedPort{Value: int(st.port)}, Protos: strings.Split(st.proto, "/"),
	}}
	for _, c := range st.codecs {
		pt := strconv.Itoa(int(c))
		m.MediaName.Formats = append(m.MediaName.Formats, pt)
		m.Attributes = append(m.Attributes, pion.NewAttribute("rtpmap", pt+" "+c.String()+"/8000"))
	}
	if st.telephoneEvent != 0 {
		pt := strconv.Itoa(int(st.telephoneEvent))
		m.MediaName.Formats = append(m.MediaName.Formats, pt)
		m.Attributes = append(m.Attributes,
			pion.NewAttribute("rtpmap", pt+" telephone-event/8000"),
			pion.NewAttribute("fmtp", pt+" 0-15"))
	}
	for _, c := range st.cryptos {
		m.Attributes = append(m.Attributes, pion.NewAttribute("crypto", c.String()))
	}
	if st.control.mux {
		m.Attributes = append(m.Attributes, pion.NewPropertyAttribute("rtcp-mux"))
	}
	m.Attributes = append(m.Attributes,
		pion.NewAttribute("ptime", strconv.FormatInt(st.packetTime.Milliseconds(), 10)), pion.NewPropertyAttribute(string(st.direction)))
	return m
}
