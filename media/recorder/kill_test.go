// SPDX-License-Identifier: MIT

package recorder_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/peer"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/recorder"
)

// recordInto is set in the process that TestKilled kills: where to record.
const recordInto = "CALLWRIGHT_RECORD_INTO"

func TestMain(m *testing.M) {
	if path := os.Getenv(recordInto); path != "" {
		recordForEver(path)
		return
	}
	goleak.VerifyTestMain(m)
}

// recordForEver records in stereo as a call would, a frame every 20 ms, and
// prints how many frames it has added.
func recordForEver(path string) {
	rec := recorder.New().Start(media.RecordOptions{Path: path, What: media.RecordStereo}, func(_ *recorder.Recording, r recorder.Result) {
		fmt.Println("ended", r.Err)
	})
	received, sent := frames(media.PCMU, 1, 1000)[0], frames(media.PCMU, 1, 450)[0]
	tick := time.NewTicker(media.FrameDuration)
	for n := 1; ; n++ {
		<-tick.C
		rec.Add(media.PCMU, &received, &sent)
		fmt.Println(n)
	}
}

// written says how many frames the header of a file tells of that is being
// recorded in stereo.
func written(t *testing.T, path string) int {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var size [4]byte
	if _, err := f.ReadAt(size[:], 40); err != nil { // that of the sound, behind the format
		t.Fatal(err)
	}
	return int(binary.LittleEndian.Uint32(size[:])) / (2 * 2 * media.FrameSize)
}

// A process that is killed leaves a whole file: while it records, all but the last
// second gets there. A foreign program reads it, too.
func TestKilled(t *testing.T) {
	t.Parallel()
	peer.Need(t, "soxi", "sox")
	path := filepath.Join(t.TempDir(), "killed.wav")
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), recordInto+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// A busy disk may be late for a while, and a busy test may kill late: what counts
	// is what the process had said.
	added, due, killed := 0, 0, false
	for lines := bufio.NewScanner(out); lines.Scan(); { // also what it said before the signal came
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			if !killed { // else the line it was killed in
				t.Fatalf("the recording says %q", lines.Text())
			}
			break
		}
		added = n
		if killed || added < 170 || written(t, path) < added-50 && added < 60*50 {
			continue
		}
		killed, due = true, added-50
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	_ = cmd.Wait() // it was killed
	channels := read(t, path)
	kept := len(channels[0]) / media.FrameSize
	if kept < due || kept > added+1 { // it may have been killed before it said the last
		t.Errorf("%d of %d frames are in the file", kept, added)
	}
	level(t, "received", channels[0], kept, 1000)
	level(t, "sent", channels[1], kept, 450)
	length, err := exec.CommandContext(t.Context(), "soxi", "-s", path).Output()
	if got := strings.TrimSpace(string(length)); err != nil || got != strconv.Itoa(kept*media.FrameSize) {
		t.Errorf("sox sees %s samples (%v), we %d", got, err, kept*media.FrameSize)
	}
}
