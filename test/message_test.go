// SPDX-License-Identifier: MIT

package test

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/callwright/callwright/media/tone"
)

// TestOfficialClientVoicemail has a telephone hear Dave's greeting and leave a
// message, which Dave's console finds in the history.
func TestOfficialClientVoicemail(t *testing.T) {
	t.Parallel()
	a := startNode(t, "voicemail")
	config := strings.Replace(withTokens, `password: "pw-dave"`, `password: "pw-dave", greeting: "`+sounds(t)+`/520/800.wav"`, 1)
	h := newHouseOf(t, askedOf(config, a), nil)
	carol := h.baresip(t, line{host: hostDesk, username: "carol", manual: true, plays: toneOfCarol}).registered()
	carol.do(carol.brand.dial, ourNumber)
	carol.hasHeard(0, 520, beep)
	eventually(t, func() string { return holds(h.dir, toneOfCarol) })
	carol.press(h, "#")
	carol.expect(carol.brand.closed)
	h.expectPorts(t, 0)
	a.expect(t, carolCalls,
		`{"event":"answer",`+ofCarol+`"answeringNumber":"+4921100",`+byVoicemail, daveHangsUp)

	c := h.console(t)
	messages := c.history("VOICEMAIL")
	if len(messages) != 1 || messages[0].Source != "+4921102" || messages[0].Direction != "INCOMING" || messages[0].Duration < 1 {
		t.Fatalf("the messages in the history are %+v", messages)
	}
	if complaint := has(download(t, messages[0].RecordingURL), toneOfCarol); complaint != "" {
		t.Error(complaint)
	}
	var message happening
	if c.get(&message, "history.fetchById", messages[0].ID); !cmp.Equal(message, messages[0], cmpopts.IgnoreFields(message, "RecordingURL")) {
		t.Errorf("the message by itself is %+v", message)
	}
	var table string
	if c.get(&table, "history.exportAsCsvString"); strings.Count(table, "+4921102") == 0 {
		t.Errorf("the history as a table is %q", table)
	}
	c.done("history.deleteById", message.ID)
	c.says(`{"error":"The requested history event could not be found"}`, "history.fetchById", message.ID)
}

// happening is an entry of the history, as the client shows it.
type happening struct {
	ID, Type, Source, Target, Direction, CallID string
	Duration                                    int
	RecordingURL                                string
	Recordings                                  []struct{ ID, URL string }
}

// history gives the entries of a type.
func (c *console) history(kind string) (entries []happening) {
	c.t.Helper()
	c.get(&entries, "history.fetchAll", map[string][]string{"types": {kind}})
	return entries
}

// download gives the sound of a recording.
func download(t *testing.T, url string) []byte {
	t.Helper()
	reply, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	file, err := io.ReadAll(reply.Body)
	if err != nil || reply.StatusCode != http.StatusOK || len(file) < wavHeader {
		t.Fatalf("GET %s: %s, %d bytes, %v", url, reply.Status, len(file), err)
	}
	return file[wavHeader:]
}

// holds complains unless the last second of a WAV file in a folder, which may still
// be being written, is a tone.
func holds(dir string, hz int) (complaint string) {
	complaint = "there is no recording"
	_ = filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(name) == ".wav" {
			complaint = has(recorded(name), hz)
		}
		return err
	})
	return complaint
}

// has complains unless there are two seconds of sound, the last of which is a tone.
func has(sound []byte, hz int) (complaint string) {
	if len(sound) < 32000 {
		return fmt.Sprintf("there are %d bytes of sound", len(sound))
	}
	samples := make([]int16, 8000)
	_, _ = binary.Decode(sound[len(sound)-16000:], binary.LittleEndian, samples)
	if level := tone.Level(samples, float64(hz)); level < -20 {
		return fmt.Sprintf("%d Hz has %.0f dB in the recording", hz, level)
	}
	return ""
}
