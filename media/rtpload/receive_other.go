// SPDX-License-Identifier: MIT

//go:build unix && !linux

package rtpload

import (
	"time"

	"github.com/callwright/callwright/media/rtp"
)

// stamp would ask the kernel to note when each datagram arrives.
func stamp(rtp.Socket) {}

// receive reads a datagram into the buffer and says when we saw it.
func (l *load) receive(s rtp.Socket) (n int, at time.Duration, ok bool) {
	n, e := s.Recv(l.buf[:])
	return n, l.clock.Now(), e == 0
}
