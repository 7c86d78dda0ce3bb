// SPDX-License-Identifier: MIT

package sipgate

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/api"
)

// Keeper changes recordings, and has phones show it. The error is fs.ErrNotExist
// for one that is not there.
type Keeper interface {
	MarkRecording(ctx context.Context, account string, id engine.ID, heard bool) error
	DeleteRecording(ctx context.Context, account string, id engine.ID) error
}

// change is what of an entry is to be changed; nil stays.
type change struct {
	ID       string  `json:"id"`
	Read     *bool   `json:"read"`
	Archived *bool   `json:"archived"`
	Starred  *bool   `json:"starred"`
	Note     *string `json:"note"`
}

// changeEntry is PUT /history/{entryId}.
func (f *Face) changeEntry(r *request) (any, error) {
	var body change
	if err := r.read(&body); err != nil {
		return nil, err
	}
	body.ID = r.id
	return nil, f.changeOne(r, body)
}

// mostChanges is how many entries can be changed at once.
const mostChanges = 100

func tooMany(n int) error {
	return api.Refuse(http.StatusBadRequest, "%d entries are too many to be changed at once: write up to %d", n, mostChanges)
}

// changeEntries is PUT /history: a list of changes, each with the id of an entry.
func (f *Face) changeEntries(r *request) (any, error) {
	var list []change
	const shape = `a list like [{"id": "…", "read": true}]`
	if _, err := r.readJSON(&list, shape); err != nil {
		return nil, err
	}
	if list == nil {
		return nil, mustBe(shape)
	}
	if len(list) > mostChanges {
		return nil, tooMany(len(list))
	}
	for _, one := range list {
		if err := f.changeOne(r, one); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// changeOne marks a message as heard, or not. Nothing else is kept of an entry.
func (f *Face) changeOne(r *request, c change) error {
	e, err := f.entry(r, c.ID)
	if err != nil {
		return err
	}
	if c.Archived != nil && *c.Archived || c.Starred != nil && *c.Starred || c.Note != nil && *c.Note != "" {
		return api.Refuse(http.StatusForbidden, "entry %s cannot be put into an archive, get a star or a note: only read is kept, of messages", e.ID)
	}
	if c.Read == nil || e.Type != typeVoicemail {
		return nil
	}
	id, err := engine.ParseID(e.ID)
	if err != nil {
		return err
	}
	return kept(f.config.Keeper.MarkRecording(r.Context(), r.token.Account, id, *c.Read))
}

// deleteEntry is DELETE /history/{entryId}.
func (f *Face) deleteEntry(r *request) (any, error) { return nil, f.deleteOne(r, r.id) }

// deleteEntries is DELETE /history?id=…&id=….
func (f *Face) deleteEntries(r *request) (any, error) {
	ids := r.URL.Query()["id"]
	if len(ids) > mostChanges {
		return nil, tooMany(len(ids))
	}
	for _, id := range ids {
		if err := f.deleteOne(r, id); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (f *Face) deleteOne(r *request, id string) error {
	e, err := f.entry(r, id)
	if err != nil {
		return err
	}
	if e.Type != typeVoicemail {
		return api.Refuse(http.StatusForbidden, "entry %s is the record of a call, which stays: only messages can be deleted", e.ID)
	}
	message, err := engine.ParseID(e.ID)
	if err != nil {
		return err
	}
	return kept(f.config.Keeper.DeleteRecording(r.Context(), r.token.Account, message))
}

// kept says what an error of the Keeper means to who asked.
func kept(err error) error {
	var file *fs.PathError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &file):
		return fmt.Errorf("change a message: %w", err)
	case api.Missing(err):
		return errNoEntry()
	}
	return away(err)
}

// table is an answer as CSV (RFC 4180).
type table []byte

// exportHistory is GET /history/export, with the filter of GET /history.
func (f *Face) exportHistory(r *request) (any, error) {
	entries, _, err := f.page(r)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{{"id", "type", "direction", "source", "target", "created", "duration", "status", "callStatus", "read", "recordingUrl"}}
	for _, e := range entries {
		rows = append(rows, []string{
			e.ID, e.Type, e.Direction, plain(e.Source), plain(e.Target), e.Created.Format(time.RFC3339),
			strconv.FormatInt(e.Duration, 10), e.Status, e.CallStatus, strconv.FormatBool(e.Read), e.RecordingURL,
		})
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	return table(b.Bytes()), nil
}

// plain keeps a spreadsheet from taking what a caller calls itself for a formula; a
// number's plus is none.
func plain(party string) string {
	if strings.HasPrefix(party, "+") && digits(party[1:]) || !strings.ContainsRune("=+-@\t\r", first(party)) {
		return party
	}
	return "'" + party
}

func first(text string) rune {
	for _, r := range text {
		return r
	}
	return 0
}
