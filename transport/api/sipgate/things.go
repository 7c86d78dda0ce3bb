// SPDX-License-Identifier: MIT

package sipgate

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/api"
)

// Registrations are where phones can be rung.
type Registrations interface {
	Registrations() []directory.Registration
}

// number is a number as it is shown.
type number struct {
	ID        string `json:"id"`
	Number    string `json:"number"`
	Localized string `json:"localized"`
	Type      string `json:"type"`
	// EndpointID is the line or group that it rings.
	EndpointID    string `json:"endpointId"`
	EndpointAlias string `json:"endpointAlias"`
	EndpointURL   string `json:"endpointUrl"`
}

// listNumbers is GET /numbers. Patterns are none.
func (f *Face) listNumbers(r *request) (any, error) {
	items := []number{}
	for _, n := range f.config.Settings.Entries().Numbers {
		if cmp.Or(n.Account, directory.DefaultAccount) != r.token.Account || strings.HasSuffix(n.Number, "*") {
			continue
		}
		shown := number{ID: n.ID(), Number: n.ID(), Localized: n.ID(), Type: "LANDLINE"}
		if !strings.HasPrefix(shown.Number, "+") {
			shown.Type = "QUICKDIAL"
		}
		switch {
		case len(n.Groups) > 0:
			shown.EndpointID = n.Groups[0]
			shown.EndpointAlias = f.alias(r.token.Account, n.Groups[0])
		case len(n.Users) > 0:
			shown.EndpointID = extension('p', n.Users[0])
			shown.EndpointAlias = f.alias(r.token.Account, n.Users[0])
		}
		items = append(items, shown)
	}
	offset, limit, err := window(r.URL.Query(), len(items))
	if err != nil {
		return nil, err
	}
	items = items[min(offset, len(items)):]
	return map[string]any{"items": items[:min(limit, len(items))]}, nil
}

// alias is what a user or group is called.
func (f *Face) alias(account, id string) string {
	for _, g := range f.groups(account) {
		if g.ID == id {
			return cmp.Or(g.Name, id)
		}
	}
	u, _ := f.userOf(account, id)
	return cmp.Or(u.Name, id)
}

// groups gives those of an account.
func (f *Face) groups(account string) []directory.Group {
	return slices.DeleteFunc(slices.Clone(f.config.Settings.Entries().Groups), func(g directory.Group) bool {
		return cmp.Or(g.Account, directory.DefaultAccount) != account
	})
}

// listGroups is GET /groups.
func (f *Face) listGroups(r *request) (any, error) {
	items := []map[string]any{}
	for _, g := range f.groups(r.token.Account) {
		users := []map[string]string{}
		for _, id := range g.Users {
			users = append(users, map[string]string{"id": id, "alias": f.alias(r.token.Account, id)})
		}
		items = append(items, map[string]any{"id": g.ID, "alias": cmp.Or(g.Name, g.ID), "users": users})
	}
	return map[string]any{"items": items}, nil
}

// routing is a line or group that rings a device.
type routing struct {
	ID    string `json:"id"`
	Alias string `json:"alias"`
}

// device is the phones of a user, which all have one id.
type device struct {
	ID               string     `json:"id"`
	Alias            string     `json:"alias"`
	Type             string     `json:"type"`
	DND              bool       `json:"dnd"`
	Online           bool       `json:"online"`
	CallerID         string     `json:"callerId"`
	Owner            string     `json:"owner"`
	ActivePhonelines []routing  `json:"activePhonelines"`
	ActiveGroups     []routing  `json:"activeGroups"`
	Registered       []location `json:"registered"`
}

// location is where one of them is registered.
type location struct {
	UserAgent string `json:"userAgent"`
	IP        string `json:"ip"`
	Port      string `json:"port"`
}

// listDevices is GET /{userId}/devices.
func (f *Face) listDevices(r *request) (any, error) {
	u, ok := f.userOf(r.token.Account, r.id)
	if !ok {
		return nil, api.Refuse(http.StatusNotFound, "there is no user %s in this account; GET /v2/users lists those there are", short(r.id))
	}
	return map[string]any{"items": []device{f.deviceOf(r.token.Account, u)}}, nil
}

// showDevice is GET /devices/{deviceId}.
func (f *Face) showDevice(r *request) (any, error) {
	u, ok := f.userOf(r.token.Account, r.id)
	if !ok {
		return nil, api.Refuse(http.StatusNotFound, "there is no device %s in this account; GET /v2/w0/devices lists those of the user w0", short(r.id))
	}
	return f.deviceOf(r.token.Account, u), nil
}

func (f *Face) deviceOf(account string, u directory.User) device {
	name := cmp.Or(u.Name, u.ID)
	d := device{
		ID: extension('e', u.ID), Alias: "Phones of " + name, Type: "REGISTER", Owner: u.ID, Online: u.Contact != "",
		CallerID:         u.CallerID,
		ActivePhonelines: []routing{{extension('p', u.ID), name}}, ActiveGroups: []routing{}, Registered: []location{},
	}
	for _, g := range f.groups(account) {
		if slices.Contains(g.Users, u.ID) {
			d.ActiveGroups = append(d.ActiveGroups, routing{g.ID, cmp.Or(g.Name, g.ID)})
		}
	}
	for _, at := range f.config.Registrations.Registrations() {
		if at.Account == account && at.User == u.ID {
			_, address, _ := strings.Cut(at.Source, ":") // before it is the transport
			host, port, _ := net.SplitHostPort(address)  // what is no address is shown as none
			d.Registered = append(d.Registered, location{at.Agent, host, port})
			d.Online = true
		}
	}
	return d
}

// endpoint is where something belongs.
type endpoint struct {
	Extension string `json:"extension"`
	Type      string `json:"type"`
}

// listVoicemails is GET /voicemails: the boxes, one for each user.
func (f *Face) listVoicemails(r *request) (any, error) {
	items := []map[string]any{}
	for _, u := range f.users(r.token.Account) {
		items = append(items, map[string]any{
			"id": extension('v', u.ID), "alias": "Voicemail of " + cmp.Or(u.Name, u.ID),
			"belongsToEndpoint": endpoint{extension('p', u.ID), "PERSON"},
		})
	}
	return map[string]any{"items": items}, nil
}

// maxLimit is how much one page may have.
const maxLimit = 1000

// window reads ?offset= and ?limit=; ordinary is the limit without one.
func window(query url.Values, ordinary int) (offset, limit int, err error) {
	limit = ordinary
	if text := query.Get("offset"); text != "" {
		if offset, err = strconv.Atoi(text); err != nil || offset < 0 {
			return 0, 0, api.Wrong("offset", "offset is %.40q: write how many are to be left out, 0 or more", text)
		}
	}
	if text := query.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxLimit {
			return 0, 0, api.Wrong("limit", "limit is %.40q: write a number from 1 to %d", text, maxLimit)
		}
	}
	return offset, limit, nil
}
