// SPDX-License-Identifier: MIT

package sipgate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/internal/nearest"
	"github.com/callwright/callwright/transport/api"
)

// Settings are the configured objects.
type Settings interface {
	// Entries gives all of them.
	Entries() directory.Entries
	// Change has an object be what change makes of it. The error is change's, an
	// *directory.EntryError, or says that it could not be kept; then nothing has
	// changed.
	Change(ctx context.Context, id directory.EntryID, change func(old directory.Entry) (directory.Entry, error)) (created bool, err error)
}

// dialect is what App.Dialect calls apps that speak as sipgate.io does.
const dialect = "sipgate"

// webhooks is what an app is asked about, and where.
type webhooks struct {
	IncomingURL string `json:"incomingUrl"`
	OutgoingURL string `json:"outgoingUrl"`
	Log         bool   `json:"log"`
	// Whitelist are the users and groups whose calls it is; null is all of them.
	Whitelist []string `json:"whitelist"`
}

// showWebhooks is GET /settings/sipgateio.
func (f *Face) showWebhooks(r *request) (any, error) {
	app, err := f.app(r.token)
	if err != nil {
		return nil, err
	}
	return webhooks{app.IncomingURL, app.OutgoingURL, !app.Unlogged, app.Whitelist}, nil
}

// changeWebhooks is PUT /settings/sipgateio. What is not sent stays; an empty URL
// asks nobody, and no whitelist (null) is about every call.
func (f *Face) changeWebhooks(r *request) (any, error) {
	app, err := f.app(r.token)
	if err != nil {
		return nil, err
	}
	var sent map[string]json.RawMessage
	if err := r.read(&sent); err != nil {
		return nil, err
	}
	changes, err := settingsOf(sent)
	if err != nil {
		return nil, err
	}
	_, err = f.config.Settings.Change(r.Context(), app.EntryID(), func(old directory.Entry) (directory.Entry, error) {
		app, ok := old.(directory.App)
		if !ok {
			return nil, errNoApp() // it was deleted just now
		}
		for _, change := range changes {
			change(&app)
		}
		return app, nil
	})
	return nil, settled(err)
}

// settingsOf reads what was sent. Unlike elsewhere a field that is not known is
// refused: a slip would be taken for a change.
func settingsOf(sent map[string]json.RawMessage) (changes []func(*directory.App), err error) {
	known := []string{"incomingUrl", "outgoingUrl", "log", "whitelist"}
	for _, field := range slices.Sorted(maps.Keys(sent)) {
		change, err := settingOf(field, sent[field])
		if err != nil {
			return nil, err
		}
		if change == nil {
			hint := ""
			if best := nearest.Of(field, known); best != "" {
				hint = "; did you mean " + best + "?"
			}
			return nil, api.Wrong(field, "%s is no setting: write %s%s", short(field), strings.Join(known, ", "), hint)
		}
		changes = append(changes, change)
	}
	return changes, nil
}

// settingOf reads one field, or gives nil for one that is not known.
func settingOf(field string, raw json.RawMessage) (change func(*directory.App), err error) {
	null := string(raw) == "null"
	switch field {
	case "incomingUrl", "outgoingUrl":
		var url string
		if null || json.Unmarshal(raw, &url) != nil {
			return nil, api.Wrong(field, "%s must be a text: write a URL, or \"\" to have no app asked", field)
		}
		if url != "" && !directory.IsURL(url) {
			return nil, api.Wrong(field, "%s is %.100q: write a whole http or https URL, or nothing to have no app asked", field, url)
		}
		return func(a *directory.App) {
			if field == "incomingUrl" {
				a.IncomingURL = url
			} else {
				a.OutgoingURL = url
			}
		}, nil
	case "log":
		var on bool
		if null || json.Unmarshal(raw, &on) != nil {
			return nil, api.Wrong(field, "log must be a bool: write true or false")
		}
		return func(a *directory.App) { a.Unlogged = !on }, nil
	case "whitelist":
		var list []string
		if json.Unmarshal(raw, &list) != nil || slices.Contains(list, "") {
			return nil, api.Wrong(field, `whitelist must be a list of users and groups like ["p0", "g1"], or null for everybody`)
		}
		return func(a *directory.App) { a.Whitelist = list }, nil
	}
	return nil, nil
}

// app gives the app that a token's settings are those of: its user's, else the one
// app of the account, or the one of them that is asked about anything.
func (f *Face) app(token directory.Token) (directory.App, error) {
	user, _ := f.userOf(token.Account, token.User)
	var apps []directory.App
	for _, a := range f.config.Settings.Entries().Apps {
		if cmp.Or(a.Account, directory.DefaultAccount) == token.Account && a.Dialect == dialect {
			apps = append(apps, a)
		}
	}
	if i := slices.IndexFunc(apps, func(a directory.App) bool { return a.Key == user.App }); i >= 0 {
		return apps[i], nil
	}
	if len(apps) > 1 {
		apps = slices.DeleteFunc(apps, func(a directory.App) bool { return !f.inUse(a) })
	}
	switch len(apps) {
	case 0:
		return directory.App{}, errNoApp()
	case 1:
		return apps[0], nil
	}
	return directory.App{}, api.Refuse(http.StatusForbidden, "the account has %d apps: name the app of %s at the user (users[].app), and its settings are shown here", len(apps), token.User)
}

// inUse says whether a number or user names an app.
func (f *Face) inUse(a directory.App) bool {
	e := f.config.Settings.Entries()
	return slices.ContainsFunc(e.Numbers, func(n directory.Number) bool { return n.App == a.Key }) ||
		slices.ContainsFunc(e.Users, func(u directory.User) bool { return u.App == a.Key })
}

func errNoApp() error {
	return api.Refuse(http.StatusForbidden, "the account has no app for sipgate.io that a number or user names: make one (apps[] in the configuration, or POST /api/v1/apps)")
}

// settled says what an error of the settings means to who asked.
func settled(err error) error {
	var refusal *api.StatusError
	var entry *directory.EntryError
	names := map[string]string{"incoming_url": "incomingUrl", "outgoing_url": "outgoingUrl", "whitelist": "whitelist"}
	switch {
	case err == nil, errors.As(err, &refusal):
		return err
	case errors.As(err, &entry):
		return &api.StatusError{Status: http.StatusBadRequest, Text: entry.Error(), Field: names[entry.Field]}
	}
	return away(err)
}

// away says that something could not be read or kept.
func away(err error) error {
	return &api.StatusError{Status: http.StatusServiceUnavailable, Err: err, Text: "the database is away; calls go on, try again later"}
}
