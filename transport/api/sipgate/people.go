// SPDX-License-Identifier: MIT

package sipgate

import (
	"cmp"
	"strings"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/api"
)

// userInfo is GET /authorization/userinfo: whose the token is.
func (f *Face) userInfo(r *request) (any, error) {
	language := f.config.Language
	for _, u := range f.users(r.token.Account) {
		if u.ID == r.token.User {
			language = cmp.Or(u.Language, language)
		}
	}
	return map[string]string{
		"sub": r.token.User, "domain": f.config.Domain,
		"masterSipId": f.config.MasterSIPID(r.token.Account), "locale": strings.ReplaceAll(language, "-", "_"),
	}, nil
}

// person is a user as it is shown.
type person struct {
	ID            string   `json:"id"`
	FirstName     string   `json:"firstname"`
	LastName      string   `json:"lastname"`
	Email         string   `json:"email"`
	DefaultDevice string   `json:"defaultDevice"`
	BusyOnBusy    bool     `json:"busyOnBusy"`
	AddressID     string   `json:"addressId"`
	DirectDialIDs []string `json:"directDialIds"`
	Timezone      string   `json:"timezone"`
	Admin         bool     `json:"admin"`
}

// listUsers is GET /users.
func (f *Face) listUsers(r *request) (any, error) {
	items := []person{}
	for _, u := range f.users(r.token.Account) {
		first, last := names(u)
		items = append(items, person{
			ID: u.ID, FirstName: first, LastName: last, Email: u.Email, DefaultDevice: extension('e', u.ID),
			BusyOnBusy: u.BusyOnBusy, DirectDialIDs: []string{}, Timezone: "UTC",
		})
	}
	return map[string]any{"items": items}, nil
}

// users gives those of an account.
func (f *Face) users(account string) []directory.User {
	var users []directory.User
	for _, u := range f.config.Settings.Entries().Users {
		if cmp.Or(u.Account, directory.DefaultAccount) == account {
			users = append(users, u)
		}
	}
	return users
}

// names parts what a user is called at the last space.
func names(u directory.User) (first, last string) {
	name := strings.TrimSpace(cmp.Or(u.Name, u.ID))
	if i := strings.LastIndexByte(name, ' '); i > 0 {
		return strings.TrimSpace(name[:i]), name[i+1:]
	}
	return name, ""
}

// extension is what else a user has: the phone of w0 is e0, its line p0, its
// voicemail v0. A user whose id is no such extension has its id for all of them.
func extension(letter byte, user string) string {
	if number, ok := strings.CutPrefix(user, "w"); ok && digits(number) {
		return string(letter) + number
	}
	return user
}

// userOf finds the user that has an extension: its own id, or that of its phone
// (e, x, y), line (p) or voicemail (v).
func (f *Face) userOf(account, extension string) (directory.User, bool) {
	var found directory.User
	for _, u := range f.users(account) {
		if u.ID == extension {
			return u, true
		}
		if number, ok := strings.CutPrefix(u.ID, "w"); ok && digits(number) && len(extension) > 1 &&
			strings.IndexByte("epvxy", extension[0]) >= 0 && extension[1:] == number {
			found = u
		}
	}
	return found, found.ID != ""
}

// party gives the id of the user that an extension in a field means, who is to be
// rung; all else stays as it is.
func (f *Face) party(account, field, called string) (string, error) {
	u, ok := f.userOf(account, called)
	switch {
	case !ok:
		return called, nil
	case called != u.ID && called == extension('v', u.ID):
		return "", api.Wrong(field, "%s is %s, a voicemail, where nothing rings: write %s, whose it is, or a number", field, called, u.ID)
	}
	return u.ID, nil
}

// digits says whether a text is nothing else, and something.
func digits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
