// SPDX-License-Identifier: MIT

//go:build unix

package rtp

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// ErrNoPorts says that every port of the range is in use.
var ErrNoPorts = errors.New("no free rtp port: widen media.ports or end some calls")

// Ports hands out sockets on the even ports of a range (RFC 3550 section 11).
// The port that was given back first is used again first, so that a late packet
// of an old call finds no new one for as long as possible. Safe for concurrent
// use.
type Ports struct {
	mu   sync.Mutex
	free []uint16 // a queue: taken from head on, given back at the end
	any  bool     // the kernel chooses
}

// NewPorts makes a pool of the range, such as "20000-29999". The range "0"
// leaves the choice to the kernel.
func NewPorts(ports string) (*Ports, error) {
	if ports == "0" {
		return &Ports{any: true}, nil
	}
	from, to, _ := strings.Cut(ports, "-")
	low, errLow := strconv.ParseUint(from, 10, 16)
	high, errHigh := strconv.ParseUint(to, 10, 16)
	low += low % 2
	if errLow != nil || errHigh != nil || low == 0 || low > high {
		return nil, fmt.Errorf("port range %q: write two ports from low to high, such as 20000-29999", ports)
	}
	p := &Ports{}
	for port := low; port <= high; port += 2 {
		p.free = append(p.free, uint16(port))
	}
	return p, nil
}

// Listen opens a socket on the next port that is free. A port that somebody
// else has taken is passed over and goes to the end of the queue. It fails with
// ErrNoPorts when none is left.
func (p *Ports) Listen(at netip.Addr) (Socket, error) {
	if p.any {
		return Listen(netip.AddrPortFrom(at, 0))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for range len(p.free) {
		port := p.free[0]
		p.free = p.free[1:]
		s, err := Listen(netip.AddrPortFrom(at, port))
		if err == nil {
			return s, nil
		}
		p.free = append(p.free, port)
		if !errors.Is(err, unix.EADDRINUSE) {
			return Socket{}, err
		}
	}
	return Socket{}, ErrNoPorts
}

// Release closes the socket and gives its port back.
func (p *Ports) Release(s Socket) error {
	err := s.Close()
	if !p.any {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.free = append(p.free, s.port)
	}
	return err
}
