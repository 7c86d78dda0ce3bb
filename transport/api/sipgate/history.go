// SPDX-License-Identifier: MIT

package sipgate

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

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

// mostSearched is how many of the latest calls are looked through.
const mostSearched = 2000

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
	all, err := f.history(r.Context(), r.token.Account)
	if err != nil {
		return nil, 0, err
	}
	all = slices.DeleteFunc(all, func(e entry) bool { return !wanted.passes(e) })
	from, to, err := window(r.URL.Query(), len(all), ordinaryPage)
	return all[from:to], len(all), err
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
	if e, ok := f.past(record, stored); ok {
		return e, nil
	}
	return entry{}, errNoEntry()
}

func errNoEntry() error {
	return api.Refuse(http.StatusNotFound, "the requested history event could not be found: GET /v2/history lists the latest")
}

// history gives the entries of an account, the newest first.
func (f *Face) history(ctx context.Context, account string) ([]entry, error) {
	stored, err := f.recordings(ctx, account)
	if err != nil {
		return nil, err
	}
	of := map[engine.ID][]engine.Recording{} // of each call
	entries := []entry{}
	for _, r := range stored {
		of[r.Call] = append(of[r.Call], r)
		if r.Kind == engine.RecordingMessage {
			entries = append(entries, f.message(r))
		}
	}
	cursor := ""
	for searched := 0; searched < mostSearched; {
		var records []engine.Record
		if records, cursor, err = f.config.Archive.CallsOf(ctx, account, maxLimit, cursor); err != nil {
			return nil, away(err)
		}
		searched += len(records)
		for _, r := range records {
			if e, ok := f.past(r, of[r.ID]); ok {
				entries = append(entries, e)
			}
		}
		if cursor == "" {
			break
		}
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return b.Created.Compare(a.Created) })
	return entries, nil
}

// recordings gives the latest of an account.
func (f *Face) recordings(ctx context.Context, account string) (all []engine.Recording, err error) {
	cursor := ""
	for len(all) < mostSearched {
		var page []engine.Recording
		if page, cursor, err = f.config.Recordings.Recordings(ctx, engine.RecordingFilter{Account: account}, maxLimit, cursor); err != nil {
			return nil, away(err)
		}
		if all = append(all, page...); cursor == "" {
			break
		}
	}
	return all, nil
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
	if !engine.IsNumber(r.Box) {
		e.belongs(r.Box, "ROUTED")
	}
	return e
}

// past is a call that is over. Targets of others are none, nor is one that left a
// message: that is there itself.
func (f *Face) past(r engine.Record, stored []engine.Recording) (entry, bool) {
	left := slices.ContainsFunc(stored, func(s engine.Recording) bool { return s.Kind == engine.RecordingMessage })
	if !r.Parent.IsZero() || r.EndedAt == nil || left {
		return entry{}, false
	}
	e := blank(r.ID, typeCall, r.From, r.To, r.StartedAt)
	e.LastModified, e.CallID, e.Read = r.EndedAt.UTC(), written(r.ID), true
	e.Incoming = r.Direction == engine.In
	e.Direction, e.Status, e.CallStatus = fate(r)
	if r.AnsweredAt != nil && r.AnsweredBy != nil {
		e.Duration = seconds(r.EndedAt.Sub(*r.AnsweredAt))
	}
	if r.Caller != "" && !e.Incoming {
		e.belongs(r.Caller, "ROUTED")
	}
	for _, u := range f.rung(r) {
		e.belongs(u, "ROUTED")
	}
	for _, s := range stored {
		e.Recordings = append(e.Recordings, recording{written(s.ID), f.config.Links.URL(s)})
		e.RecordingURL = cmp.Or(e.RecordingURL, f.config.Links.URL(s))
	}
	return e, true
}

// rung gives the ids of the users whom a call that came in was for: who answered,
// else those of its number as it is now.
func (f *Face) rung(r engine.Record) (ids []string) {
	if r.Direction != engine.In {
		return nil
	}
	if r.AnsweredBy != nil && r.AnsweredBy.Kind == engine.KindUser {
		return []string{r.AnsweredBy.Value}
	}
	groups := f.groups(r.Account)
	for _, n := range f.config.Settings.Entries().Numbers {
		if cmp.Or(n.Account, engine.DefaultAccount) != r.Account || n.ID() != r.Number {
			continue
		}
		ids = append(ids, n.Users...)
		for _, g := range groups {
			if slices.Contains(n.Groups, g.ID) {
				ids = append(ids, g.Users...)
			}
		}
	}
	return ids
}

// belongs adds a user whom an entry concerns.
func (e *entry) belongs(user, how string) {
	if line := extension('p', user); !slices.Contains(e.ConnectionIDs, line) {
		e.ConnectionIDs = append(e.ConnectionIDs, line)
		e.Endpoints = append(e.Endpoints, routed{how, endpoint{line, "PERSON"}})
	}
}

// blank is an entry of which the parties are known.
func blank(id engine.ID, kind string, from, to engine.Address, at time.Time) entry {
	return entry{
		ID: written(id), Type: kind, Source: numberOf(from), Target: numberOf(to),
		SourceAlias: cmp.Or(from.Name, numberOf(from)), TargetAlias: cmp.Or(to.Name, numberOf(to)),
		Created: at.UTC(), LastModified: at.UTC(),
		ConnectionIDs: []string{}, Endpoints: []routed{}, Labels: []string{}, Recordings: []recording{},
	}
}

// fate is what became of a call, in sipgate's words.
func fate(r engine.Record) (direction, status, callStatus string) {
	direction, missed := incoming, missedIncoming
	if r.Direction == engine.Out {
		direction, missed = outgoing, missedOutgoing
	}
	switch word := r.Cause.Words().Sipgate; {
	case r.AnsweredBy != nil && r.AnsweredBy.Kind == engine.KindVoicemail:
		return missed, "PICKUP", "VOICEMAIL_NO_MESSAGE"
	case r.AnsweredBy != nil:
		return direction, "PICKUP", "SUCCESS"
	case word == "forwarded":
		return direction, "FORWARD", "SUCCESS"
	case word == "busy":
		return missed, "BUSY", "BUSY"
	case r.Cause == engine.CauseRejected:
		return missed, "NOPICKUP", "REJECTED"
	case word == "cancel", word == "noAnswer", word == "normalClearing":
		return missed, "NOPICKUP", "MISSED"
	}
	return missed, "NOPICKUP", "FAILURE"
}

func seconds(d time.Duration) int64 { return int64(d.Round(time.Second) / time.Second) }

// filter is what of the history is wanted; what is empty does not matter.
type filter struct {
	types, directions []string
	// of are the lines of users whom it must concern.
	of         []string
	from, to   time.Time
	number     string
	impossible bool
}

// filterOf reads the filter of a query.
func filterOf(query url.Values) (w filter, err error) {
	w.types, w.directions, w.of = query["types"], query["directions"], query["connectionIds"]
	for _, kind := range w.types {
		if !slices.Contains([]string{typeCall, typeVoicemail, "SMS", "FAX"}, kind) {
			return w, api.Wrong("types", "types has %.40q: write CALL, VOICEMAIL, SMS or FAX", kind)
		}
	}
	for _, direction := range w.directions {
		if !slices.Contains([]string{incoming, outgoing, missedIncoming, missedOutgoing}, direction) {
			return w, api.Wrong("directions", "directions has %.40q: write INCOMING, OUTGOING, MISSED_INCOMING or MISSED_OUTGOING", direction)
		}
	}
	for field, t := range map[string]*time.Time{"from": &w.from, "to": &w.to} {
		if text := query.Get(field); text != "" {
			if *t, err = time.Parse(time.RFC3339, text); err != nil {
				return w, api.Wrong(field, "%s is %.40q: write a time like 2026-03-01T12:00:00Z", field, text)
			}
		}
	}
	w.number = strings.TrimPrefix(engine.NormalizeNumber(query.Get("phonenumber")), "+")
	// Nothing here was ever put into an archive, or marked with a star.
	w.impossible = query.Get("archived") == "true" || slices.Equal(query["starred"], []string{"STARRED"})
	return w, nil
}

func (w filter) passes(e entry) bool {
	number := func(n string) bool { return strings.TrimPrefix(n, "+") == w.number }
	concerns := func(line string) bool { return slices.Contains(e.ConnectionIDs, line) }
	return !w.impossible && (len(w.types) == 0 || slices.Contains(w.types, e.Type)) &&
		(len(w.directions) == 0 || slices.Contains(w.directions, e.Direction)) &&
		(len(w.of) == 0 || slices.ContainsFunc(w.of, concerns)) &&
		(w.from.IsZero() || !e.Created.Before(w.from)) && (w.to.IsZero() || !e.Created.After(w.to)) &&
		(w.number == "" || number(e.Source) || number(e.Target))
}
