// SPDX-License-Identifier: MIT

package server_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/transport/sip/phone"
)

// idleConnections is how many connections another process opens and says nothing
// by.
const idleConnections = 10_000

// idle is that process: it opens connections from many addresses, says how many
// it has got, and keeps them until its input ends. One that is closed by the
// other side is one that has done its harm.
func idle(to string) int {
	conns := make([]net.Conn, 0, idleConnections)
	for i := range idleConnections {
		d := net.Dialer{Timeout: time.Minute, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 10, byte(i>>8), byte(i))}}
		if c, err := d.Dial("tcp", to); err == nil {
			conns = append(conns, c)
		}
	}
	fmt.Println(len(conns))
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends
	return 0
}

// Ten thousand connections that say nothing do not disturb a call, keep nobody
// from calling, and cost little.
func TestIdleConnections(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has all of 127.0.0.0/8 without being asked")
	}
	answering := false
	a := newApp(t, func(base string, _ *http.Request) string {
		return `<Response><Gather onData="` + base + `" timeout="120000"/></Response>`
	})
	s := start(t, a.URL, func(c *config.Config) { c.Apps[0].EarlyMedia = &answering })
	call := func(network string) *phone.Call {
		t.Helper()
		p, err := phone.New(phone.Config{Listen: "127.0.0.1:0", Network: network, User: "+4930111"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		c, err := p.Dial("sip:+4921112345@"+s.SIP.Addr(network).String()+";transport="+network, phone.CallOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.WaitAnswer(t.Context()); err != nil {
			t.Fatalf("call by %s: %v", network, err)
		}
		return c
	}
	hear := func(c *phone.Call) phone.Verdict { // until a hundred packets more have come
		t.Helper()
		before := c.Heard().Packets
		until(t, "sound", func() bool { return c.Heard().Packets >= before+100 })
		return c.Heard()
	}
	talk := call("udp")
	before, calm := heap(), hear(talk)
	opened := openIdle(t, s.SIP.Addr("tcp").String())
	stormy, cost := hear(talk), max(heap(), before)-before
	if opened < idleConnections*9/10 {
		t.Fatalf("%d connections were opened", opened)
	}
	if stormy.Lost != 0 {
		t.Errorf("the call that was there: %d of %d packets lost, before %d of %d", stormy.Lost, stormy.Packets, calm.Lost, calm.Packets)
	}
	another := call("tcp")
	if v := hear(another); v.Lost != 0 {
		t.Errorf("a call by TCP: %d of %d packets lost", v.Lost, v.Packets)
	}
	t.Logf("%d connections were opened and cost %d kB; longest gap of the call %s before, %s in the end", opened, cost>>10, calm.Gap, stormy.Gap)
	another.Hangup()
	talk.Hangup()
}

// openIdle has another process open connections, which end with the test.
func openIdle(t *testing.T, to string) (opened int) {
	t.Helper()
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), "IDLE_CONNECTIONS="+to)
	in, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := process.Wait(); err != nil {
			t.Error(err)
		}
	})
	if _, err := fmt.Fscan(out, &opened); err != nil {
		t.Fatal(err)
	}
	return opened
}

// heap is how much memory lives.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
