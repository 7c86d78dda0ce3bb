// SPDX-License-Identifier: MIT

package testcall

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

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
	if _, _, err := net.SplitHostPort(host); err != nil {
		t.host = net.JoinHostPort(strings.Trim(host, "[]"), "5060")
	}
	return t, nil
}

// near gives the address of this machine from which a host is reached. No
// packet is sent for that.
func near(host string) (string, error) {
	conn, err := net.Dial("udp", host)
	if err != nil {
		return "", fmt.Errorf("find the way to %s: %w", host, err)
	}
	defer conn.Close()
	return netip.AddrPortFrom(conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), 0).String(), nil
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
