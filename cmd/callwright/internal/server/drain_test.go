// SPDX-License-Identifier: MIT

package server_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/callwright/callwright/cmd/callwright/internal/server"
	"github.com/callwright/callwright/transport/sip/phone"
)

// living is a server with a call that lives, and its app.
func living(t *testing.T) (*server.Server, *app, *phone.Call) {
	t.Helper()
	a := newApp(t, func(base string, _ *http.Request) string {
		return `<Response onHangup="` + base + `"><Gather onData="` + base + `" timeout="60000"/></Response>`
	})
	s := start(t, a.URL)
	alice := newPhone(t, "+4930111")
	talk, err := alice.Dial("sip:+4921112345@"+s.SIP.Addr("udp").String(), phone.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the call to be alive", func() bool { return a.count("newCall") == 1 })
	return s, a, talk
}

// While a server drains, nothing new is taken and everybody is told so, and the
// call that lives goes on until its party hangs up. Then the server is done.
func TestDrain(t *testing.T) {
	t.Parallel()
	s, a, talk := living(t)
	if status, _ := ask(t, s, "", "GET", "/readyz", ""); status != 200 {
		t.Errorf("readyz: %d before", status)
	}

	drained := make(chan struct{})
	go func() {
		defer close(drained)
		s.Drain(context.Background())
	}()
	until(t, "the server to drain", func() bool {
		status, _ := ask(t, s, "", "GET", "/readyz", "")
		return status == 503
	})
	bob := caller(t)
	until(t, "new calls to be refused", func() bool { return ring(t, s, bob) == 503 })
	if status, _ := ask(t, s, "", "GET", "/healthz", ""); status != 200 {
		t.Errorf("healthz: %d", status)
	}
	select {
	case <-drained:
		t.Fatal("it was done while a call lived")
	default:
	}
	talk.Hangup()
	<-drained
	until(t, "the app to be told", func() bool { return a.count("hangup cancel") == 1 })
}

// Who may not wait any longer ends it.
func TestDrainIsOverInTime(t *testing.T) {
	t.Parallel()
	s, a, talk := living(t)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	s.Drain(over)
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := talk.WaitEnd(t.Context()); err != nil {
		t.Error(err)
	}
	if n := a.count("hangup congestion"); n != 1 {
		t.Errorf("the app was told %d times", n)
	}
}
