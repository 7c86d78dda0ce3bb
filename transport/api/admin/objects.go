// SPDX-License-Identifier: MIT

package admin

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/internal/nearest"
	"github.com/callwright/callwright/transport/api"
)

// Settings are the configured objects.
type Settings interface {
	// Entries gives all of them.
	Entries() directory.Entries
	// Change has an object be what change makes of it, or of nil when it is not
	// there; changes are made one after the other, and change asks for nothing
	// here. The errors are those of
	// change, an *directory.EntryError about what is wrong with it, and any other
	// when it could not be kept. Nothing has changed then.
	Change(ctx context.Context, id directory.EntryID, change func(old directory.Entry) (directory.Entry, error)) (created bool, err error)
	// Delete forgets an object. The error is fs.ErrNotExist for one that is not
	// there, and an *directory.EntryError when others name it.
	Delete(ctx context.Context, id directory.EntryID) error
}

// objects serves the objects of one kind.
type objects struct {
	kind
	settings Settings
}

func (o *objects) routes(g *echo.Group) {
	g.GET("/"+o.path, o.list)
	g.POST("/"+o.path, o.create)
	g.GET("/"+o.path+"/:id", o.show)
	g.PUT("/"+o.path+"/:id", o.put)
	g.PATCH("/"+o.path+"/:id", o.patch)
	g.DELETE("/"+o.path+"/:id", o.remove)
}

// list is GET /users?account=&limit=&cursor=, by account and name.
func (o *objects) list(c echo.Context) error {
	query, err := queryOf(c)
	if err != nil {
		return err
	}
	limit, err := limitOf(query)
	if err != nil {
		return err
	}
	after, err := base64.RawURLEncoding.DecodeString(query.Get("cursor"))
	if err != nil {
		return api.Refuse(http.StatusBadRequest, "cursor is %.40q; give what \"next\" of the page before said, or nothing for the first page", query.Get("cursor"))
	}
	all := o.of(o.settings.Entries())
	slices.SortFunc(all, func(a, b directory.Entry) int { return strings.Compare(place(a), place(b)) })
	page := make([]directory.Entry, 0, min(limit, len(all)))
	var next *string
	for _, e := range all {
		if query.Has("account") && o.name != directory.EntryAccount && ownerOf(e) != query.Get("account") || place(e) <= string(after) {
			continue
		}
		if len(page) == limit {
			next = present(base64.RawURLEncoding.EncodeToString([]byte(place(page[limit-1]))))
			break
		}
		page = append(page, withoutSecret(e))
	}
	return api.JSON(c, http.StatusOK, map[string]any{o.path: page, "next": next})
}

// place orders the objects of a kind.
func place(e directory.Entry) string { return ownerOf(e) + "\x00" + e.EntryID().ID }

// show is GET /users/{id}?account=.
func (o *objects) show(c echo.Context) error {
	id, _, err := o.named(c)
	if err != nil {
		return err
	}
	return o.answer(c, http.StatusOK, id)
}

// answer shows an object as it is now.
func (o *objects) answer(c echo.Context, status int, id directory.EntryID) error {
	for _, e := range o.of(o.settings.Entries()) {
		if e.EntryID() == id {
			return api.JSON(c, status, withoutSecret(e))
		}
	}
	return o.missing(id)
}

// create is POST /users.
func (o *objects) create(c echo.Context) error {
	sent, err := readFields(c)
	if err != nil {
		return err
	}
	name, err := sent.text(o.id)
	if err != nil {
		return err
	}
	account, err := o.account(c, sent)
	if err != nil {
		return err
	}
	e, err := sent.into(o.blank(account, name))
	if err != nil {
		return err
	}
	e = completed(e)
	id := e.EntryID()
	if id.ID == "" {
		return api.Wrong(o.id, "%s is missing: every %s has one", o.id, o.name)
	}
	_, err = o.settings.Change(c.Request().Context(), id, func(old directory.Entry) (directory.Entry, error) {
		if old != nil || id == defaultAccount {
			return nil, api.Refuse(http.StatusConflict, "%s is there already; change it with PUT or PATCH", id)
		}
		return e, checkGreeting(e, nil)
	})
	if err != nil {
		return o.refusal(id, err)
	}
	c.Response().Header().Set(echo.HeaderLocation, o.location(c, id))
	if o.name == directory.EntryToken { // its secret is shown this once
		return api.JSON(c, http.StatusCreated, e)
	}
	return o.answer(c, http.StatusCreated, id)
}

// defaultAccount is always there, also when nothing is kept of it.
var defaultAccount = directory.Account{ID: directory.DefaultAccount}.EntryID()

// location is where an object is shown.
func (o *objects) location(c echo.Context, id directory.EntryID) string {
	path := c.Path() + "/" + url.PathEscape(id.ID)
	if id.Account != "" && id.Account != directory.DefaultAccount {
		path += "?account=" + url.QueryEscape(id.Account)
	}
	return path
}

// put is PUT /users/{id}?account=: the whole object but for its secret, which
// stays when none is sent.
func (o *objects) put(c echo.Context) error {
	sent, err := readFields(c)
	if err != nil {
		return err
	}
	id, e, err := o.target(c, sent)
	if err != nil {
		return err
	}
	if e, err = sent.into(e); err != nil {
		return err
	}
	if e.EntryID().ID == "" {
		return api.Wrong(o.id, "%s cannot have an empty %s: leave it out", id, o.id)
	}
	created, err := o.settings.Change(c.Request().Context(), id, func(old directory.Entry) (directory.Entry, error) {
		if err := checkGreeting(e, old); err != nil {
			return nil, err
		}
		if sent.has("password") || sent.has("secret") || sent.has("token") {
			return e, nil
		}
		return keepSecret(e, old), nil
	})
	if err != nil {
		return o.refusal(id, err)
	}
	status := http.StatusOK
	if created && id != defaultAccount {
		status = http.StatusCreated
	}
	return o.answer(c, status, id)
}

// patch is PATCH /users/{id}?account=, a merge patch (RFC 7396).
func (o *objects) patch(c echo.Context) error {
	sent, err := readFields(c)
	if err != nil {
		return err
	}
	id, e, err := o.target(c, sent)
	if err != nil {
		return err
	}
	_, err = o.settings.Change(c.Request().Context(), id, func(old directory.Entry) (directory.Entry, error) {
		if old == nil && id != defaultAccount {
			return nil, fs.ErrNotExist
		}
		all, err := sent.over(cmp.Or(old, e))
		if err != nil {
			return nil, err
		}
		next, err := all.into(e)
		if err != nil {
			return nil, err
		}
		return next, checkGreeting(next, old)
	})
	if err != nil {
		return o.refusal(id, err)
	}
	return o.answer(c, http.StatusOK, id)
}

// remove is DELETE /users/{id}?account=.
func (o *objects) remove(c echo.Context) error {
	id, _, err := o.named(c)
	if err != nil {
		return err
	}
	if id == defaultAccount {
		return api.Refuse(http.StatusConflict, "the account %q is always there", id.ID)
	}
	if err := o.settings.Delete(c.Request().Context(), id); err != nil {
		return o.refusal(id, err)
	}
	return c.NoContent(http.StatusNoContent)
}

// named gives the object that a path means.
func (o *objects) named(c echo.Context) (directory.EntryID, directory.Entry, error) {
	account, err := o.account(c, nil)
	if err != nil {
		return directory.EntryID{}, nil, err
	}
	name := c.Param("id")
	if c.Request().URL.RawPath != "" { // then the router has not unescaped it
		if name, err = url.PathUnescape(name); err != nil {
			return directory.EntryID{}, nil, api.Refuse(http.StatusBadRequest, "the path cannot be read: %s", err)
		}
	}
	e := o.blank(account, name)
	return e.EntryID(), e, nil
}

// target gives the object that a path and a body mean, with the defaults.
func (o *objects) target(c echo.Context, sent fields) (directory.EntryID, directory.Entry, error) {
	id, _, err := o.named(c)
	if err != nil {
		return id, nil, err
	}
	name, err := sent.text(o.id)
	if err != nil {
		return id, nil, err
	}
	if name != "" && o.blank("", name).EntryID().ID != id.ID {
		return id, nil, api.Wrong(o.id, "the path names %s and the body %q: leave one out, or make another object with POST", id, name)
	}
	account, err := o.account(c, sent)
	if err != nil {
		return id, nil, err
	}
	e := o.blank(account, id.ID)
	return e.EntryID(), e, nil
}

// account gives the account that a request is about.
func (o *objects) account(c echo.Context, sent fields) (string, error) {
	query, err := queryOf(c)
	if err != nil {
		return "", err
	}
	account := query.Get("account")
	inBody, err := sent.text("account")
	if err != nil {
		return "", err
	}
	if account != "" && inBody != "" && account != inBody {
		return "", api.Wrong("account", "the query names account %q and the body %q: leave one out", account, inBody)
	}
	return cmp.Or(account, inBody, directory.DefaultAccount), nil
}

// refusal says to the client what an error of the settings means.
func (o *objects) refusal(id directory.EntryID, err error) error {
	var said *api.StatusError
	var entry *directory.EntryError
	switch {
	case errors.As(err, &said):
		return err
	case errors.As(err, &entry) && entry.Conflict:
		return &api.StatusError{Status: http.StatusConflict, Text: entry.Error(), Field: entry.Field}
	case errors.As(err, &entry):
		return &api.StatusError{Status: http.StatusBadRequest, Text: entry.Error(), Field: entry.Field}
	case api.Missing(err):
		return o.missing(id)
	}
	return &api.StatusError{
		Status: http.StatusServiceUnavailable, Err: err,
		Text: "the database is away, so the change is not in force; try again later",
	}
}

// missing says that an object is not there, and which is like it.
func (o *objects) missing(id directory.EntryID) error {
	var names []string
	for _, e := range o.of(o.settings.Entries()) {
		if e.EntryID().Account == id.Account {
			names = append(names, e.EntryID().ID)
		}
	}
	text := "there is no " + id.String()
	if id.Account != "" {
		text += fmt.Sprintf(" in account %q", id.Account)
	}
	if best := nearest.Of(id.ID, names); best != "" {
		return api.Refuse(http.StatusNotFound, "%s: did you mean %q?", text, best)
	}
	return api.Refuse(http.StatusNotFound, "%s; GET %s lists those there are", text, o.path)
}
