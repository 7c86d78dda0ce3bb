// SPDX-License-Identifier: MIT

package api

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/callwright/callwright/engine"
)

// slack is how much longer than it lasts it may take to send a recording.
const slack = time.Minute

// Sound is the file of a recording, open.
type Sound struct {
	recording engine.Recording
	file      *os.File
	changed   time.Time
}

// OpenSound opens the file of a recording, which is in the folder whatever its name
// is. A file that is not there is a StatusError.
func OpenSound(folder string, r engine.Recording) (*Sound, error) {
	file, err := os.OpenInRoot(folder, filepath.Base(r.File))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Refuse(http.StatusNotFound,
			"the file %s of the recording is not in the folder of recordings here: it was removed, or is on another machine", filepath.Base(r.File))
	}
	if err != nil {
		return nil, fmt.Errorf("open recording %s: %w", r.ID, err)
	}
	about, err := file.Stat()
	if err == nil && !about.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file", r.File)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open recording %s: %w", r.ID, err), file.Close())
	}
	return &Sound{r, file, about.ModTime()}, nil
}

// Close closes the file.
func (s *Sound) Close() error { return s.file.Close() }

// Serve answers with the WAV file, or the part of it that a Range asks for (RFC
// 9110 section 14).
func (s *Sound) Serve(c echo.Context) error {
	answer := c.Response()
	// The server's own limit is for answers that are soon written.
	if err := http.NewResponseController(answer).SetWriteDeadline(time.Now().Add(s.recording.Duration + slack)); err != nil {
		return fmt.Errorf("give a recording time to be sent: %w", err)
	}
	answer.Header().Set(echo.HeaderContentType, "audio/wav")
	answer.Header().Set(echo.HeaderContentDisposition, fmt.Sprintf("inline; filename=%q", s.recording.ID.String()+".wav"))
	answer.Header().Set(echo.HeaderXContentTypeOptions, "nosniff")
	http.ServeContent(answer, c.Request(), "", s.changed, s.file)
	return nil
}
