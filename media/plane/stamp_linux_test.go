// SPDX-License-Identifier: MIT

package plane

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/callwright/callwright/media/rtp"
)

// stamp has the kernel note when datagrams come to a socket, or no more.
func stamp(t *testing.T, s rtp.Socket, on bool) {
	value := 0
	if on {
		value = 1
	}
	if err := unix.SetsockoptInt(s.FD(), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, value); err != nil {
		t.Error(err)
	}
}
