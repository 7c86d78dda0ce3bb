// SPDX-License-Identifier: MIT

package stream

import (
	"testing"

	"github.com/callwright/callwright/transport/sip/secure"
)

// Trunks that lead to one address and show certificates of their own have a
// connection each, which they keep and which ends with the pool.
func TestDialShared(t *testing.T) {
	t.Parallel()
	server, authority := newServer(t, "own")
	callee, caller := newSide(t, Config{Server: server}), newSide(t, Config{})
	at := addrOf(callee.listen(TLS))
	dial := func(name string) *Conn {
		t.Helper()
		to := Target{Network: TLS, Addr: at, Name: "localhost", Client: secure.Client{CA: authority.CA, ServerName: name}}
		c, err := caller.Dial(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first, second := dial("localhost"), dial("127.0.0.1")
	if first == second {
		t.Fatal("two that are secured otherwise share a connection")
	}
	if dial("localhost") != first || dial("127.0.0.1") != second || caller.Len() != 2 {
		t.Errorf("the connections are not kept: %d are open", caller.Len())
	}
	ended := make(chan error, 1)
	second.OnClose(func(err error) { ended <- err })
	_ = second.Close()
	<-ended
	if dial("localhost") != first {
		t.Error("the end of one takes the other along")
	}
	caller.Close() // waits for both
}
