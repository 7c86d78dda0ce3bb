// SPDX-License-Identifier: MIT

package sipgate

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/api"
)

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
		if _, ok := directions()[direction]; !ok {
			return w, api.Wrong("directions", "directions has %.40q: write INCOMING, OUTGOING, MISSED_INCOMING or MISSED_OUTGOING", direction)
		}
	}
	slices.Sort(w.directions) // there are four, however often each is written
	w.directions = slices.Compact(w.directions)
	for field, t := range map[string]*time.Time{"from": &w.from, "to": &w.to} {
		if text := query.Get(field); text != "" {
			if *t, err = time.Parse(time.RFC3339, text); err != nil || t.UTC().Year() > 9999 {
				return w, api.Wrong(field, "%s is %.40q: write a time like 2026-03-01T12:00:00Z", field, text)
			}
		}
	}
	w.number = strings.TrimPrefix(directory.NormalizeNumber(query.Get("phonenumber")), "+")
	// Nothing here was ever put into an archive, or marked with a star.
	w.impossible = query.Get("archived") == "true" || slices.Equal(query["starred"], []string{"STARRED"})
	return w, nil
}

// pastOf says what a filter means of the past of an account, or that nothing passes.
func (f *Face) pastOf(account string, w filter) (past engine.PastFilter, possible bool) {
	kind := func(name string) bool { return len(w.types) == 0 || slices.Contains(w.types, name) }
	past = engine.PastFilter{
		Account: account, From: w.from, To: w.to, Party: w.number, NoCalls: !kind(typeCall),
		NoMessages: !kind(typeVoicemail) || len(w.directions) > 0 && !slices.Contains(w.directions, incoming),
	}
	for _, direction := range w.directions {
		past.Fates = append(past.Fates, directions()[direction])
	}
	if len(w.of) == 0 {
		return past, !w.impossible
	}
	for _, line := range w.of { // also of users who are there no more
		if number, ok := strings.CutPrefix(line, "p"); ok && digits(number) {
			line = "w" + number
		}
		past.Users = append(past.Users, line)
	}
	for _, n := range f.config.Settings.Entries().Numbers {
		n.Account = cmp.Or(n.Account, directory.DefaultAccount)
		concerned := func(u directory.User) bool { return slices.Contains(past.Users, u.ID) }
		if n.Account == account && slices.ContainsFunc(f.config.Directory.UsersOf(n), concerned) {
			past.Numbers = append(past.Numbers, n.ID())
		}
	}
	return past, !w.impossible
}
