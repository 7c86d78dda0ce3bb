// SPDX-License-Identifier: MIT

package sip

import (
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
)

// A peer that does not read its connection holds up its own call only: the media
// plane, which serves all calls, can still tell things of it.
func TestPeerThatDoesNotRead(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	peer, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(h.server.Addr("tcp")))
	must(t, err)
	t.Cleanup(func() { _ = peer.Close() })
	must(t, peer.SetReadBuffer(1))
	const sdp = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
	fmt.Fprintf(peer, "INVITE sip:+4921112345@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bKstuck\r\n"+
		"From: <sip:1@x>;tag=1\r\nTo: <sip:+4921112345@x>\r\nCall-ID: stuck\r\nCSeq: 1 INVITE\r\nContact: <sip:1@%[1]s>\r\n"+
		"Max-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", peer.LocalAddr(), len(sdp), sdp)
	leg := h.next()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-leg.events:
			case <-stop:
				return
			}
		}
	}()
	var sent atomic.Int64
	over := make(chan struct{})
	go func() {
		defer close(over)
		for leg.Progress(true) == nil {
			sent.Add(1)
		}
	}()
	for last := int64(-1); last != sent.Load(); time.Sleep(100 * time.Millisecond) {
		last = sent.Load()
	}
	h.plane.mu.Lock()
	deliver := h.plane.open[leg.Info().Stream].Deliver
	h.plane.mu.Unlock()
	told := make(chan struct{})
	go func() {
		defer close(told)
		deliver(media.Event{Kind: media.Digit, Digit: '1'})
	}()
	select {
	case <-told:
	case <-time.After(patience):
		t.Error("the media plane is held up")
	}
	must(t, peer.Close())
	<-over
	<-told
	leg.Hangup(engine.CauseFailed)
}
