// SPDX-License-Identifier: MIT

package testcall

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// refusal is how long a machine nearby takes to say that nothing listens.
const refusal = 50 * time.Millisecond

// target is who is called.
type target struct {
	uri     string
	host    string // with a port
	network string // "udp" or "tcp"
}

// parseTarget reads "sip:100@127.0.0.1:5060;transport=tcp". What is left out is
// filled in: the scheme, the port, and this machine for the host.
func parseTarget(text string) (target, error) {
	rest := text
	if scheme, after, ok := strings.Cut(text, ":"); ok && !strings.ContainsAny(scheme, "@.[") {
		if !strings.EqualFold(scheme, "sip") {
			return target{}, fmt.Errorf("%q cannot be called: write a SIP URI, like sip:100@127.0.0.1:5060 (sips: and tel: are not known)", text)
		}
		rest = after
	}
	user, at, ok := strings.Cut(rest, "@")
	if !ok && strings.ContainsAny(rest, ".:[") {
		return target{}, fmt.Errorf("%q names a machine, and nobody there: write whom to call, like sip:100@%s", text, rest)
	}
	if !ok {
		at = "127.0.0.1"
	}
	host, parameters, _ := strings.Cut(at, ";")
	if user == "" || host == "" || strings.ContainsAny(rest, " <>\"\r\n") {
		return target{}, fmt.Errorf("%q is no SIP URI: write one like sip:100@127.0.0.1:5060", text)
	}
	t := target{uri: "sip:" + user + "@" + host, host: host, network: "udp"}
	if parameters != "" {
		t.uri += ";" + parameters
	}
	for p := range strings.SplitSeq(strings.ToLower(parameters), ";") {
		name, value, _ := strings.Cut(p, "=")
		if name == "transport" {
			t.network = value
		}
	}
	if t.network != "udp" && t.network != "tcp" {
		return target{}, fmt.Errorf("transport=%s is not known: write udp or tcp", t.network)
	}
	_, port, err := net.SplitHostPort(host)
	if err != nil {
		t.host = net.JoinHostPort(strings.Trim(host, "[]"), "5060")
	} else if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return target{}, fmt.Errorf("%q has the port %q: write a number from 1 to 65535", text, port)
	}
	return t, nil
}

// isItThere is what to look for when nothing answers.
const isItThere = ": is callwright serve running there, and is the port of its sip.listen right?"

// near gives the address of this machine from which a target is reached: of a
// host with both, an IPv4 address, as that is what SIP will take. It also sees
// whether that machine says at once that nothing listens there; for that it
// sends what keeps a way through a NAT open, which SIP ignores (RFC 5626
// section 4.4.1).
func near(to target) (string, error) {
	conn, err := net.Dial("udp4", to.host)
	if err != nil {
		conn, err = net.Dial("udp", to.host)
	}
	var unknown *net.DNSError
	switch {
	case errors.As(err, &unknown) && unknown.IsNotFound:
		return "", fmt.Errorf("there is no host %s: write the name or the address of a SIP server", unknown.Name)
	case err != nil:
		return "", fmt.Errorf("find the way to %s: %w", to.host, err)
	}
	defer conn.Close()
	if to.network == "udp" && refused(conn) {
		return "", fmt.Errorf("nothing listens at %s%s", to.host, isItThere)
	}
	return netip.AddrPortFrom(conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), 0).String(), nil
}

// refused says whether the other machine turns packets away.
func refused(conn net.Conn) bool {
	_, err := conn.Write([]byte("\r\n\r\n"))
	if err == nil {
		err = conn.SetReadDeadline(time.Now().Add(refusal))
	}
	if err == nil {
		_, err = conn.Read(make([]byte, 4))
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// listen gives the address and port that a person means by an address with or
// without a port.
func listen(text string) (string, error) {
	if ip, err := netip.ParseAddr(text); err == nil {
		return netip.AddrPortFrom(ip, 0).String(), nil
	}
	if _, err := netip.ParseAddrPort(text); err != nil {
		return "", fmt.Errorf("--listen is %q: write an address of this machine, like 192.168.1.10 or 192.168.1.10:5070", text)
	}
	return text, nil
}
