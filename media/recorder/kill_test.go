// SPDX-License-Identifier: MIT

package recorder_test

import (
	"bufio"
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

// A process that is killed leaves a whole file with all but the last second. A
// foreign program reads it, too.
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
	added := 0
	for lines := bufio.NewScanner(out); added < 170 && lines.Scan(); {
		if added, err = strconv.Atoi(lines.Text()); err != nil {
			t.Errorf("the recording says %q", lines.Text())
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	channels := read(t, path)
	kept := len(channels[0]) / media.FrameSize
	if kept < added-50 || kept > added+50 {
		t.Errorf("%d of %d frames are in the file", kept, added)
	}
	level(t, "received", channels[0], kept, 1000)
	level(t, "sent", channels[1], kept, 450)
	length, err := exec.CommandContext(t.Context(), "soxi", "-s", path).Output()
	if got := strings.TrimSpace(string(length)); err != nil || got != strconv.Itoa(kept*media.FrameSize) {
		t.Errorf("sox sees %s samples (%v), we %d", got, err, kept*media.FrameSize)
	}
}
