// SPDX-License-Identifier: MIT

package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/media"
)

// tapeName is what the file of a recording is called. After a crash it tells what
// the file is.
func tapeName(r Recording) string { return fmt.Sprintf("%s-%s-%s.wav", r.Kind, r.Call, r.ID) }

// readTapeName reads what tapeName wrote for a call.
func readTapeName(name string, call ID) (r Recording, ok bool) {
	kind, rest, _ := strings.Cut(strings.TrimSuffix(name, ".wav"), "-"+call.String()+"-")
	id, err := ParseID(rest)
	r = Recording{ID: id, Kind: RecordingKind(kind), Call: call, File: name}
	known := r.Kind == RecordingCall || r.Kind == RecordingMessage || r.Kind == RecordingGreeting
	return r, err == nil && tapeName(r) == name && known
}

// recoverTapes files what was being recorded when an earlier run of the server died
// with the call: the files can be read, and nobody was told of them. A greeting that
// its speaker did not end is not kept.
func (c *Call) recoverTapes() {
	paths, err := filepath.Glob(filepath.Join(c.engine.config.Recordings, "*-"+c.record.ID.String()+"-*.wav"))
	if err != nil || c.engine.config.Kept == nil {
		return // the folder has a strange name, or nobody asks for recordings
	}
	for _, path := range paths {
		r, ok := readTapeName(filepath.Base(path), c.record.ID)
		if !ok {
			continue
		}
		_, err := c.engine.config.Kept.Recording(c.engine.ctx, c.record.Account, r.ID)
		switch {
		case errors.Is(err, fs.ErrNotExist) && r.Kind == RecordingGreeting:
			c.discard(tape{recording: r, path: path})
		case errors.Is(err, fs.ErrNotExist):
			c.recoverTape(r, path)
		case err != nil:
			c.log.Error("it cannot be told whether a recording is known", "file", path, "err", err)
		}
	}
}

func (c *Call) recoverTape(r Recording, path string) {
	length, heard, err := c.engine.config.Recorder.LookAtRecording(path)
	if err != nil {
		c.log.Error("a recording was cut off by the end of the server, and cannot be read", "file", path, "err", err)
		return
	}
	r.Account, r.From, r.To = c.record.Account, c.record.From, c.record.To
	r.StartedAt = time.UnixMilli(int64(binary.BigEndian.Uint64(r.ID[:8]) >> 16))
	if r.Kind == RecordingMessage {
		r.Box = c.Box()
		if by := c.record.AnsweredBy; by != nil && by.Kind == directory.KindVoicemail {
			r.Box = by.Value
		}
	}
	c.file(tape{recording: r, path: path}, media.Event{Duration: length, Heard: heard})
}
