// SPDX-License-Identifier: MIT

//go:build !race

// The race detector has pools forget what they were given.

package plane

import (
	"testing"

	"github.com/callwright/callwright/media"
)

// Encryption costs no memory either.
func TestNoAllocationsForSecrets(t *testing.T) {
	for _, suite := range suites {
		f := setup(t, Config{})
		id, p, _ := f.secretCall(suite)
		f.must(f.Play(id, prompt(400, 1000), media.PlayOptions{Loop: true}))
		packet := make([]byte, 172, 200)
		var b [2048]byte
		round := func() {
			p.header.Put(packet)
			p.header.Sequence++
			sealed, err := p.sealer.SealRTP(packet)
			if err != nil {
				t.Fatal(err)
			}
			_ = p.socket.SendTo(sealed, p.server)
			f.step(media.FrameDuration)
			for _, e := p.socket.Recv(b[:]); e == 0; _, e = p.socket.Recv(b[:]) {
			}
		}
		for range 60 {
			round()
		}
		if n := testing.AllocsPerRun(200, round); n != 0 {
			t.Errorf("%v: %v allocations a frame", suite, n)
		}
		if n := f.figuresOf(id); n.Received < 200 || n.Refused != 0 {
			t.Errorf("%v: %+v", suite, n)
		}
	}
}
