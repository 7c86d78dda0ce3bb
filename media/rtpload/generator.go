// SPDX-License-Identifier: MIT

package rtpload

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os/exec"
	"time"
)

// order is what the generator's process is told, one line of JSON each.
type order struct {
	Home    netip.Addr       `json:"home,omitzero"` // to open sockets on
	Legs    int              `json:"legs,omitempty"`
	Targets []netip.AddrPort `json:"targets,omitempty"` // for each leg, whom to send to
	Warmup  time.Duration    `json:"warmup,omitempty"`
	Measure time.Duration    `json:"measure,omitempty"`
	Rate    int              `json:"rate,omitempty"` // of a flood, in packets a second
}

const (
	// maxRate is the most that a flood may have, in packets a second, and
	// maxFlood how long it may last.
	maxRate  = 100_000
	maxFlood = time.Minute
)

// answer is what it says.
type answer struct {
	Addresses []netip.AddrPort `json:"addresses,omitempty"`
	Begun     bool             `json:"begun,omitempty"` // the warm-up is over
	Ended     bool             `json:"ended,omitempty"` // the measurement is
	Report    *Report          `json:"report,omitempty"`
	Error     string           `json:"error,omitempty"`
}

// Report is what a generator has seen while it measured.
type Report struct {
	Sent     int `json:"sent"`     // packets
	Received int `json:"received"` // packets
	// P50, P99, P999 and Max say how far packets arrived from where the 20 ms
	// raster of their leg has them.
	P50  time.Duration `json:"p50"`
	P99  time.Duration `json:"p99"`
	P999 time.Duration `json:"p999"`
	Max  time.Duration `json:"max"`
	// Gaps is how often 40 ms or more went by between two packets of a leg.
	Gaps int `json:"gaps"`
	// Between says how far the time between two packets of a leg was from 20 ms.
	Between Spread `json:"between"`
	// Lost are the packets of a leg that did not come, those at the end left out.
	Lost int `json:"lost"`
}

// Spread is the middle, the 99th of a hundred and the greatest of many times.
type Spread struct {
	P50 time.Duration `json:"p50"`
	P99 time.Duration `json:"p99"`
	Max time.Duration `json:"max"`
}

// Generator is the handle on a generator's process.
type Generator struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

// Start starts a process that must do nothing but call Serve with its standard
// input and output, and lets it open a socket for each leg on an address of
// 127.0.0.0/8. It returns the addresses of the legs. Close it.
func Start(cmd *exec.Cmd, home netip.Addr, legs int) (*Generator, []netip.AddrPort, error) {
	if !home.Is4() || !home.IsLoopback() {
		return nil, nil, fmt.Errorf("start load generator: %v is not in 127.0.0.0/8", home)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, fmt.Errorf("start load generator: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, fmt.Errorf("start load generator: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start load generator: %w", err)
	}
	g := &Generator{cmd: cmd, in: in, out: json.NewDecoder(out)}
	if err := g.tell(order{Home: home, Legs: legs}); err != nil {
		return nil, nil, errors.Join(err, g.Close())
	}
	a, err := g.hear()
	if err != nil {
		return nil, nil, errors.Join(err, g.Close())
	}
	return g, a.Addresses, nil
}

// Run sends from each leg to its target, and calls begun when the warm-up is
// over and ended when the measurement is. It can be called once.
func (g *Generator) Run(targets []netip.AddrPort, warmup, measure time.Duration, begun, ended func()) (Report, error) {
	if err := g.tell(order{Targets: targets, Warmup: warmup, Measure: measure}); err != nil {
		return Report{}, err
	}
	for {
		a, err := g.hear()
		switch {
		case err != nil:
			return Report{}, err
		case a.Begun:
			begun()
		case a.Ended:
			ended()
		case a.Report != nil:
			return *a.Report, nil
		}
	}
}

// Flood sends as many packets a second as are asked for from the only leg to one
// target. It can be called once, in place of Run.
func (g *Generator) Flood(target netip.AddrPort, rate int, during time.Duration) (Report, error) {
	if rate > maxRate || during > maxFlood {
		return Report{}, fmt.Errorf("flood: %d packets a second for %v are more than %d for %v", rate, during, maxRate, maxFlood)
	}
	if !target.Addr().Unmap().IsLoopback() {
		return Report{}, fmt.Errorf("flood: %v is not of this machine", target)
	}
	if err := g.tell(order{Targets: []netip.AddrPort{target}, Measure: during, Rate: rate}); err != nil {
		return Report{}, err
	}
	a, err := g.hear()
	if err != nil {
		return Report{}, err
	}
	return *a.Report, nil
}

// Close ends the process.
func (g *Generator) Close() error {
	err := g.in.Close() // it ends when its input does
	if e := g.cmd.Wait(); e != nil {
		err = errors.Join(err, fmt.Errorf("load generator: %w", e))
	}
	return err
}

func (g *Generator) tell(o order) error {
	if err := json.NewEncoder(g.in).Encode(o); err != nil {
		return fmt.Errorf("talk to load generator: %w", err)
	}
	return nil
}

func (g *Generator) hear() (a answer, err error) {
	if err := g.out.Decode(&a); err != nil {
		return a, fmt.Errorf("listen to load generator: %w", err)
	}
	if a.Error != "" {
		return a, fmt.Errorf("load generator: %s", a.Error)
	}
	return a, nil
}
