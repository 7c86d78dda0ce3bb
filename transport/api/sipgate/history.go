// SPDX-License-Identifier: MIT

package sipgate

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/api"
)

// Recordings are what is known of stored audio. The error of one that is not there
// is fs.ErrNotExist.
type Recordings interface {
	Recording(ctx context.Context, account string, id engine.ID) (engine.Recording, error)
	// Recordings gives up to limit of those that pass a filter, the newest first,
	// from behind the cursor on, and the cursor for the next page.
	Recordings(ctx context.Context, f engine.RecordingFilter, limit int, cursor string) ([]engine.Recording, string, error)
}

// The types of entries, and their directions.
const (
	typeCall       = "CALL"
	typeVoicemail  = "VOICEMAIL"
	incoming       = "INCOMING"
	outgoing       = "OUTGOING"
	missedIncoming = "MISSED_INCOMING"
	missedOutgoing = "MISSED_OUTGOING"
)

// entry is something that happened, as it is shown. All entries have all fields.
type entry struct {
	ID            string      `json:"id"`
	Type          string      `json:"type"`
	Source        string      `json:"source"`
	Target        string      `json:"target"`
	SourceAlias   string      `json:"sourceAlias"`
	TargetAlias   string      `json:"targetAlias"`
	Created       time.Time   `json:"created"`
	LastModified  time.Time   `json:"lastModified"`
	Direction     string      `json:"direction"`
	Incoming      bool        `json:"incoming"`
	Status        string      `json:"status"`
	CallStatus    string      `json:"callStatus"`
	CallID        string      `json:"callId"`
	ConnectionIDs []string    `json:"connectionIds"`
	Endpoints     []routed    `json:"endpoints"`
	Read          bool        `json:"read"`
	Archived      bool        `json:"archived"`
	Starred       bool        `json:"starred"`
	Note          string      `json:"note"`
	Labels        []string    `json:"labels"`
	Duration      int64       `json:"duration"`
	Transcription string      `json:"transcription"`
	RecordingURL  string      `json:"recordingUrl"`
	Recordings    []recording `json:"recordings"`
}

// routed is who was rung.
type routed struct {
	Type     string   `json:"type"`
	Endpoint endpoint `json:"endpoint"`
}

// recording is what was recorded of a call.
type recording struct {
	ID  string `json:"id"`
	URL string `json:"url"`
}

// countPatience is how long the database may take to find and count the entries of a
// page.
const countPatience = 10 * time.Second

// ordinaryPage is how many entries a page has, unless it is said.
const ordinaryPage = 10

// listHistory is GET /history and GET /{userId}/history, the newest first.
func (f *Face) listHistory(r *request) (any, error) {
	entries, total, err := f.page(r)
	if err != nil {
		return nil, err
	}
	return map[string]any{"items": entries, "totalCount": total}, nil
}

// page gives the entries that a query asks for, and how many pass its filter.
func (f *Face) page(r *request) (entries []entry, total int, err error) {
	wanted, err := filterOf(r.URL.Query())
	if err != nil {
		return nil, 0, err
	}
	if r.id != "" {
		u, ok := f.userOf(r.token.Account, r.id)
		if !ok {
			return nil, 0, api.Refuse(http.StatusNotFound, "there is no user %s in this account; GET /v2/users lists those there are", short(r.id))
		}
		wanted.of = append(wanted.of, extension('p', u.ID))
	}
	offset, limit, err := window(r.URL.Query(), ordinaryPage)
	if err != nil {
		return nil, 0, err
	}
	past, possible := f.pastOf(r.token.Account, wanted)
	if !possible {
		return []entry{}, 0, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), countPatience)
	defer cancel()
	found, total, err := f.config.Archive.Past(ctx, past, limit, offset)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, 0, &api.StatusError{Status: http.StatusServiceUnavailable, Err: err,
			Text: "the history is too long to be searched in " + countPatience.String() + ": ask for less of it, by from and to"}
	case err != nil:
		return nil, 0, away(err)
	}
	entries = make([]entry, len(found))
	for i, one := range found {
		if one.Message.ID.IsZero() {
			entries[i] = f.callEntry(one.Call, one.Recordings)
		} else {
			entries[i] = f.message(one.Message)
		}
	}
	return entries, total, nil
}

// showHistory is GET /history/{entryId}.
func (f *Face) showHistory(r *request) (any, error) { return f.entry(r, r.id) }

// entry finds an entry of the account by its id, in either case and with or without
// dashes.
func (f *Face) entry(r *request, name string) (entry, error) {
	id, err := engine.ParseID(name)
	if err != nil {
		return entry{}, errNoEntry()
	}
	message, err := f.config.Recordings.Recording(r.Context(), r.token.Account, id)
	switch {
	case err == nil && message.Kind == engine.RecordingMessage:
		return f.message(message), nil
	case err != nil && !api.Missing(err):
		return entry{}, away(err)
	}
	record, _, err := f.config.Archive.Call(r.Context(), id)
	switch {
	case api.Missing(err), err == nil && record.Account != r.token.Account:
		return entry{}, errNoEntry()
	case err != nil:
		return entry{}, away(err)
	}
	stored, _, err := f.config.Recordings.Recordings(r.Context(), engine.RecordingFilter{Account: record.Account, Call: id}, maxLimit, "")
	if err != nil {
		return entry{}, away(err)
	}
	left := slices.ContainsFunc(stored, func(s engine.Recording) bool { return s.Kind == engine.RecordingMessage })
	if !record.Parent.IsZero() || record.EndedAt == nil || left { // a target of another, or there as its message
		return entry{}, errNoEntry()
	}
	return f.callEntry(record, stored), nil
}

func errNoEntry() error {
	return api.Refuse(http.StatusNotFound, "the requested history event could not be found: GET /v2/history lists the latest")
}

// message is a message in a voicemail.
func (f *Face) message(r engine.Recording) entry {
	e := blank(r.ID, typeVoicemail, r.From, r.To, r.StartedAt)
	e.Direction, e.Incoming, e.Status, e.CallStatus = incoming, true, "PICKUP", "SUCCESS"
	e.CallID, e.Read = written(r.Call), r.HeardAt != nil
	e.Duration, e.RecordingURL = seconds(r.Duration), f.config.Links.URL(r)
	if r.HeardAt != nil {
		e.LastModified = r.HeardAt.UTC()
	}
	if !directory.IsNumber(r.Box) {
		e.belongs(r.Box)
	}
	return e
}

// callEntry is a call that is over.
func (f *Face) callEntry(r engine.Record, stored []engine.Recording) entry {
	e := blank(r.ID, typeCall, r.From, r.To, r.StartedAt)
	e.LastModified, e.CallID, e.Read = r.EndedAt.UTC(), written(r.ID), true
	e.Incoming = r.Direction == engine.In
	e.Direction, e.Status, e.CallStatus = fate(r)
	if r.AnsweredAt != nil && r.AnsweredBy != nil {
		e.Duration = seconds(r.EndedAt.Sub(*r.AnsweredAt))
	}
	if r.Caller != "" && !e.Incoming {
		e.belongs(r.Caller)
	}
	for _, u := range f.rung(r) {
		e.belongs(u)
	}
	for _, s := range stored {
		e.Recordings = append(e.Recordings, recording{written(s.ID), f.config.Links.URL(s)})
		e.RecordingURL = cmp.Or(e.RecordingURL, f.config.Links.URL(s))
	}
	return e
}

// rung gives the ids of the users whom a call that came in was for: who answered,
// else those of its number as it is now.
func (f *Face) rung(r engine.Record) (ids []string) {
	if r.Direction != engine.In {
		return nil
	}
	if r.AnsweredBy != nil && r.AnsweredBy.Kind == directory.KindUser {
		return []string{r.AnsweredBy.Value}
	}
	if n, ok := f.config.Directory.NumberNamed(r.Account, r.Number); ok {
		for _, u := range f.config.Directory.UsersOf(n) {
			ids = append(ids, u.ID)
		}
	}
	return ids
}

// belongs adds a user whom an entry concerns.
func (e *entry) belongs(user string) {
	if line := extension('p', user); !slices.Contains(e.ConnectionIDs, line) {
		e.ConnectionIDs = append(e.ConnectionIDs, line)
		e.Endpoints = append(e.Endpoints, routed{"ROUTED", endpoint{line, "PERSON"}})
	}
}

// blank is an entry of which the parties are known.
func blank(id engine.ID, kind string, from, to directory.Address, at time.Time) entry {
	return entry{
		ID: written(id), Type: kind, Source: numberOf(from), Target: numberOf(to),
		SourceAlias: cmp.Or(from.Name, numberOf(from)), TargetAlias: cmp.Or(to.Name, numberOf(to)),
		Created: at.UTC(), LastModified: at.UTC(),
		ConnectionIDs: []string{}, Endpoints: []routed{}, Labels: []string{}, Recordings: []recording{},
	}
}

// fate is what became of a call, in sipgate's words.
func fate(r engine.Record) (direction, status, callStatus string) {
	direction = directionOf(engine.Fate{Direction: r.Direction, Missed: r.Missed()})
	switch word := r.Cause.Words().Sipgate; {
	case r.AnsweredBy != nil && r.Missed():
		return direction, "PICKUP", "VOICEMAIL_NO_MESSAGE"
	case r.AnsweredBy != nil:
		return direction, "PICKUP", "SUCCESS"
	case !r.Missed():
		return direction, "FORWARD", "SUCCESS"
	case word == "busy":
		return direction, "BUSY", "BUSY"
	case r.Cause == engine.CauseRejected:
		return direction, "NOPICKUP", "REJECTED"
	case word == "cancel", word == "noAnswer", word == "normalClearing":
		return direction, "NOPICKUP", "MISSED"
	}
	return direction, "NOPICKUP", "FAILURE"
}

func directionOf(f engine.Fate) string {
	for direction, fate := range directions() {
		if fate == f {
			return direction
		}
	}
	return missedOutgoing
}

// directions are sipgate's, each for what became of a call.
func directions() map[string]engine.Fate {
	return map[string]engine.Fate{
		incoming: {Direction: engine.In}, missedIncoming: {Direction: engine.In, Missed: true},
		outgoing: {Direction: engine.Out}, missedOutgoing: {Direction: engine.Out, Missed: true},
	}
}

func seconds(d time.Duration) int64 { return int64(d.Round(time.Second) / time.Second) }
