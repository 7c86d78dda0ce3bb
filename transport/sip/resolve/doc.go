// SPDX-License-Identifier: MIT

// Package resolve finds out where a SIP URI leads: the transport, the addresses
// and the ports, in the order in which they are to be tried (RFC 3263: NAPTR, then
// SRV, then A and AAAA).
//
// What the DNS says is kept for as long as it says, and used a while longer when
// no server answers. All is bounded in time and in memory. Hosts of /etc/hosts
// come before the DNS, as everywhere.
//
// It opens no SIP connection. Whoever does can say which places did not answer;
// they are tried last for half a minute.
//
// Read resolver.go first, then order.go and dns.go.
package resolve
