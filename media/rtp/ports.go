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

// Pair is the two sockets of one stream: Sound is on an even port, and Control,
// for RTCP, on the one above (RFC 3550 section 11).
type Pair struct{ Sound, Control Socket }

// Close gives both back to the kernel.
func (p Pair) Close() error { return errors.Join(p.Sound.Close(), p.Control.Close()) }

// Ports hands out pairs of ports of a range. The pair that was given back first
// is used again first, so that a late packet of an old call finds no new one for
// as long as possible. Safe for concurrent use.
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
	if errLow != nil || errHigh != nil || low == 0 || low+1 > high {
		return nil, fmt.Errorf("port range %q: write two ports from low to high, such as 20000-29999; a call takes an even one and the one above", ports)
	}
	p := &Ports{}
	for port := low; port < high; port += 2 {
		p.free = append(p.free, uint16(port))
	}
	return p, nil
}

// Check says so if this process may open fewer files than the range has ports.
func (p *Ports) Check() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	if need := uint64(2 * len(p.free)); need > limit.Cur {
		return fmt.Errorf("media.ports has %d ports, but this process may open %d files only: raise that limit (ulimit -n, LimitNOFILE), or calls are refused before the ports are used up",
			need, limit.Cur)
	}
	return nil
}

// Listen opens a pair on the next ports that are free. Those that somebody else
// has taken are passed over and go to the end of the queue. It fails with
// ErrNoPorts when none are left.
func (p *Ports) Listen(at netip.Addr) (Pair, error) {
	if p.any {
		return listenAnywhere(at)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for range len(p.free) {
		port := p.free[0]
		p.free = p.free[1:]
		pair, err := listenPair(at, port)
		if err == nil {
			return pair, nil
		}
		p.free = append(p.free, port)
		if !errors.Is(err, unix.EADDRINUSE) {
			return Pair{}, err
		}
	}
	return Pair{}, ErrNoPorts
}

// Release closes the pair and gives its ports back.
func (p *Ports) Release(pair Pair) error {
	err := pair.Close()
	if !p.any {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.free = append(p.free, pair.Sound.port)
	}
	return err
}

// listenAnywhere opens a pair on ports that the kernel has free.
func listenAnywhere(at netip.Addr) (Pair, error) {
	for range 64 {
		found, err := Listen(netip.AddrPortFrom(at, 0))
		if err != nil {
			return Pair{}, err
		}
		port := found.port &^ 1
		if err := found.Close(); err != nil {
			return Pair{}, err
		}
		pair, err := listenPair(at, port)
		if !errors.Is(err, unix.EADDRINUSE) {
			return pair, err
		}
	}
	return Pair{}, fmt.Errorf("bind udp %v: of all pairs of ports found one was taken", at)
}

func listenPair(at netip.Addr, port uint16) (pair Pair, err error) {
	if pair.Sound, err = Listen(netip.AddrPortFrom(at, port)); err != nil {
		return Pair{}, err
	}
	if pair.Control, err = Listen(netip.AddrPortFrom(at, port+1)); err == nil {
		if err = errors.Join(pair.Control.reserve(), pair.Control.stamp(), pair.Sound.stamp()); err == nil {
			return pair, nil
		}
		err = errors.Join(err, pair.Control.Close())
	}
	return Pair{}, errors.Join(err, pair.Sound.Close())
}

// reserve makes a socket one that is read seldom: little may wait in it, so that
// a flood takes no memory.
func (s Socket) reserve() error {
	if err := unix.SetsockoptInt(int(s.fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 16<<10); err != nil {
		return fmt.Errorf("set up rtcp socket: %w", err)
	}
	return nil
}
