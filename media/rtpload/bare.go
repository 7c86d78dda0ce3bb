// SPDX-License-Identifier: MIT

package rtpload

import (
	"errors"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/clock"
	"github.com/callwright/callwright/media/rtp"
)

// Bare receives and sends a packet on each of its sockets every 20 ms, and does
// nothing else. No server with a socket for each stream needs less.
type Bare struct {
	sockets []rtp.Socket
	stop    atomic.Bool
	running sync.WaitGroup
}

// StartBare opens a socket for each peer, connects it and starts the loop. It
// wakes up every 5 ms, or every millisecond if fine. It returns the addresses
// of the sockets. Close it.
func StartBare(home netip.Addr, peers []netip.AddrPort, fine bool) (*Bare, []netip.AddrPort, error) {
	b := &Bare{}
	var at []netip.AddrPort
	for _, peer := range peers {
		s, err := rtp.Listen(netip.AddrPortFrom(home, 0))
		if err != nil {
			return nil, nil, errors.Join(err, b.Close())
		}
		b.sockets = append(b.sockets, s)
		at = append(at, netip.AddrPortFrom(home, s.Port()))
		if err := s.Connect(rtp.EndpointOf(peer)); err != nil {
			return nil, nil, errors.Join(err, b.Close())
		}
	}
	b.running.Go(func() { b.run(fine) })
	return b, at, nil
}

func (b *Bare) run(fine bool) {
	runtime.LockOSThread()
	clock.TuneThread()
	c := clock.New()
	width := 5
	if fine {
		width = 1
	}
	var in [2048]byte
	out := make([]byte, rtp.HeaderSize+media.FrameSize)
	var h rtp.Header
	for at := time.Duration(0); !b.stop.Load(); at += time.Duration(width) * time.Millisecond {
		c.SleepUntil(at)
		first := int(at/time.Millisecond) % bins
		h.Sequence = uint16(at / media.FrameDuration)
		h.Put(out)
		for bin := first; bin < first+width; bin++ {
			for i := bin; i < len(b.sockets); i += bins {
				_, _ = b.sockets[i].Recv(in[:])
				_ = b.sockets[i].Send(out)
			}
		}
	}
}

// Close ends the loop and closes the sockets.
func (b *Bare) Close() error {
	b.stop.Store(true)
	b.running.Wait()
	var errs []error
	for _, s := range b.sockets {
		errs = append(errs, s.Close())
	}
	b.sockets = nil
	return errors.Join(errs...)
}
