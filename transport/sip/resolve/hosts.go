// SPDX-License-Identifier: MIT

package resolve

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// hosts gives the addresses that a hosts(5) file has for a name, those of IPv4
// first.
func hosts(file, name string) []netip.Addr {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil // a system may have none
	}
	name = strings.TrimSuffix(name, ".")
	var addrs []netip.Addr
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		addr, err := netip.ParseAddr(fields[0])
		if err == nil && slices.ContainsFunc(fields[1:], func(f string) bool { return strings.EqualFold(f, name) }) {
			addrs = append(addrs, addr.Unmap())
		}
	}
	slices.SortStableFunc(addrs, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	return addrs
}

func joinPort(server, port string) string {
	if _, _, err := net.SplitHostPort(server); err == nil {
		return server
	}
	return net.JoinHostPort(server, port)
}
