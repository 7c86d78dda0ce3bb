// SPDX-License-Identifier: MIT

package rtpload

import (
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/callwright/callwright/media"
)

// Load is how much is carried, and for how long.
type Load struct {
	Legs            int
	Warmup, Measure time.Duration
}

// Cost is what carrying a load came to.
type Cost struct {
	Report
	// CPU is the processor time that this process needed, in µs a second.
	CPU float64
	// Memory is by how much heap and stacks of this process grew, in bytes.
	Memory float64
}

// Cost starts a generator by command (see Start), lets serve take its legs and
// say where each is to send, and measures what this process needs for them. It
// fails if more than a tenth of the packets did not come back.
func (l Load) Cost(command *exec.Cmd, serve func(legs []netip.AddrPort) (targets []netip.AddrPort, err error)) (c Cost, err error) {
	g, legs, err := Start(command, netip.MustParseAddr("127.0.0.2"), l.Legs)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	before := memory()
	targets, err := serve(legs)
	if err != nil {
		return c, err
	}
	c.Memory = memory() - before
	var from time.Duration
	var began time.Time
	c.Report, err = g.Run(targets, l.Warmup, l.Measure,
		func() { from, began = processorTime(), time.Now() },
		func() { c.CPU = float64((processorTime() - from).Microseconds()) / time.Since(began).Seconds() })
	if want := l.Legs * int(l.Measure/media.FrameDuration); err == nil && c.Received < want*9/10 {
		err = fmt.Errorf("only %d of %d packets came back", c.Received, want)
	}
	return c, err
}

// BareCost measures what a bare loop needs for the same load. A fine loop wakes
// up every millisecond.
func (l Load) BareCost(command *exec.Cmd, fine bool) (c Cost, err error) {
	var bare *Bare
	c, err = l.Cost(command, func(legs []netip.AddrPort) (at []netip.AddrPort, err error) {
		bare, at, err = StartBare(netip.MustParseAddr("127.0.0.1"), legs, fine)
		return at, err
	})
	if bare != nil {
		err = errors.Join(err, bare.Close())
	}
	return c, err
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(fmt.Sprintf("getrusage: %v", err)) // cannot fail for oneself
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// memory is what lives on the heap and on stacks. What pools hold is gone only
// after the second collection.
func memory() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}
