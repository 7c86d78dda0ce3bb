// SPDX-License-Identifier: MIT

package rtpload_test

import (
	"net/netip"
	"os"
	"os/exec"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/media/rtpload"
)

func TestMain(m *testing.M) {
	if os.Getenv("RTPLOAD") != "" {
		if rtpload.Serve(os.Stdin, os.Stdout) != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// A machine that is busy may begin to measure late, or let the 200 ms go by without
// a packet; then it is measured again.
func TestGeneratorHearsBareLoop(t *testing.T) {
	t.Parallel()
	for tries := 1; ; tries++ {
		r := measure(t)
		if t.Failed() || r.Sent == 300 && r.Received >= 100 {
			return
		}
		if tries == 50 {
			t.Fatalf("report %+v, the last of %d", r, tries)
		}
	}
}

// measure has a generator load a bare loop.
func measure(t *testing.T) rtpload.Report {
	t.Helper()
	home := netip.MustParseAddr("127.0.0.2")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RTPLOAD=1")
	cmd.Stderr = os.Stderr
	g, peers, err := rtpload.Start(cmd, home, 30)
	if err != nil {
		t.Fatal(err)
	}
	bare, targets, err := rtpload.StartBare(netip.MustParseAddr("127.0.0.1"), peers, false)
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	r, err := g.Run(targets, 100*time.Millisecond, 200*time.Millisecond,
		func() { calls = append(calls, "begun") }, func() { calls = append(calls, "ended") })
	if err != nil {
		t.Fatal(err)
	}
	if r.Sent > 300 || r.P50 > r.P99 || r.P99 > r.Max || len(calls) != 2 || calls[0] != "begun" {
		t.Errorf("report %+v after %v", r, calls)
	}
	if err := bare.Close(); err != nil {
		t.Error(err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	return r
}

func TestGeneratorRefuses(t *testing.T) {
	t.Parallel()
	if _, _, err := rtpload.Start(nil, netip.MustParseAddr("192.0.2.1"), 1); err == nil {
		t.Error("an address of the outside world was taken")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RTPLOAD=1")
	g, _, err := rtpload.Start(cmd, netip.MustParseAddr("127.0.0.2"), 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Run(nil, 0, 0, nil, nil); err == nil {
		t.Error("no targets for 2 legs, and no error")
	}
	if g.Close() == nil {
		t.Error("the process ended well")
	}
}
