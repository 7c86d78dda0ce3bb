// SPDX-License-Identifier: MIT

package sipgate

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/api"
)

// Config is what the Face is made of.
type Config struct {
	Calls         Calls
	Control       Control
	Exchange      Exchange
	Directory     Directory
	Settings      Settings
	Registrations Registrations
	Archive       Archive
	Recordings    Recordings
	Keeper        Keeper
	Programs      Programs
	// Folder is where recordings are, and Links are how they are reached.
	Folder string
	Links  *Links
	// BearerKey signs bearer tokens; it is a secret of the server.
	BearerKey []byte
	// MasterSIPID gives the number that full ids of an account's users begin with.
	MasterSIPID func(account string) string
	// Domain is what the server calls itself: the host of http.public_url.
	Domain string
	// Language is that of users who name none ("en-US").
	Language string
	Log      *slog.Logger
}

// Face is the face.
type Face struct {
	config   Config
	throttle *throttle
	bearers  bearers
}

// New makes the face.
func New(c Config) *Face {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Face{config: c, throttle: newThrottle(), bearers: bearers{c.BearerKey}}
}

// row is one thing that can be asked.
type row struct {
	method, path string
	// scopes are what a token may have to ask it, any of them; none is needed
	// where none is named.
	scopes []string
	// do gives what is answered as JSON; nil is an empty 204.
	do func(*Face, *request) (any, error)
}

// rows are all of them. The path's variable is the request's id.
func rows() []row {
	read, write := []string{"rtcm:read"}, []string{"rtcm:write"}
	sessions := []string{"sessions:calls:write", "sessions:write"}
	return []row{
		{http.MethodGet, "/authorization/userinfo", nil, (*Face).userInfo},
		{http.MethodPost, "/authorization/token", nil, (*Face).makeBearer},
		{http.MethodGet, "/users", []string{"users:read"}, (*Face).listUsers},
		{http.MethodGet, "/numbers", []string{"numbers:read"}, (*Face).listNumbers},
		{http.MethodGet, "/groups", []string{"groups:read"}, (*Face).listGroups},
		{http.MethodGet, "/devices/:id", []string{"devices:read"}, (*Face).showDevice},
		{http.MethodGet, "/:id/devices", []string{"devices:read"}, (*Face).listDevices},
		{http.MethodGet, "/voicemails", []string{"voicemails:read"}, (*Face).listVoicemails},

		{http.MethodGet, "/history", []string{"history:read"}, (*Face).listHistory},
		{http.MethodGet, "/:id/history", []string{"history:read"}, (*Face).listHistory},
		{http.MethodGet, "/history/:id", []string{"history:read"}, (*Face).showHistory},
		{http.MethodGet, "/history/export", []string{"history:read"}, (*Face).exportHistory},
		{http.MethodPut, "/history", []string{"history:write"}, (*Face).changeEntries},
		{http.MethodPut, "/history/:id", []string{"history:write"}, (*Face).changeEntry},
		{http.MethodDelete, "/history", []string{"history:write"}, (*Face).deleteEntries},
		{http.MethodDelete, "/history/:id", []string{"history:write"}, (*Face).deleteEntry},

		{http.MethodGet, "/settings/sipgateio", []string{"settings:sipgateio:read"}, (*Face).showWebhooks},
		{http.MethodPut, "/settings/sipgateio", []string{"settings:sipgateio:write"}, (*Face).changeWebhooks},
		{http.MethodGet, "/log/webhooks", []string{"log:webhooks:read"}, (*Face).listPushes},

		{http.MethodGet, "/calls", read, (*Face).listCalls},
		{http.MethodDelete, "/calls/:id", write, (*Face).hangup},
		{http.MethodPut, "/calls/:id/muted", write, (*Face).mute},
		{http.MethodPut, "/calls/:id/hold", write, (*Face).hold},
		{http.MethodPut, "/calls/:id/recording", write, (*Face).record},
		{http.MethodPost, "/calls/:id/announcements", write, (*Face).announce},
		{http.MethodPost, "/calls/:id/dtmf", write, (*Face).sendDigits},
		{http.MethodPost, "/calls/:id/transfer", write, (*Face).transfer},
		{http.MethodPost, "/sessions/calls", sessions, (*Face).newCall},
		{http.MethodPost, "/sessions/voicemail/play", sessions, (*Face).playMessage},
		{http.MethodPost, "/sessions/voicemail/recording", sessions, (*Face).speakGreeting},
		{http.MethodPost, "/sessions/ivr/recording", sessions, (*Face).speakPrompt},
	}
}

// request is what was asked, and by whom.
type request struct {
	*http.Request
	// id is what the path names.
	id    string
	token directory.Token
}

// Routes adds the routes of the face.
func (f *Face) Routes(g *echo.Group) {
	for _, row := range rows() {
		g.Add(row.method, row.path, func(c echo.Context) error { return f.serve(c, row) })
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		g.Add(method, "/recordings/:account/:id", f.playRecording)
	}
}

// serve answers one request. Nothing of it may be kept on the way.
func (f *Face) serve(c echo.Context, row row) error {
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	token, err := f.admit(c.Request(), c.Response().Header(), row.scopes)
	if err != nil {
		return err
	}
	answer, err := row.do(f, &request{Request: c.Request(), id: c.Param("id"), token: token})
	if err != nil {
		f.tellOperator(c.Request(), token, err)
		return err
	}
	switch answer := answer.(type) {
	case nil:
		return c.NoContent(http.StatusNoContent)
	case table:
		return c.Blob(http.StatusOK, "text/csv; charset=utf-8", answer)
	}
	return api.JSON(c, http.StatusOK, answer)
}

// tellOperator logs what a token was refused that the operator can allow.
func (f *Face) tellOperator(r *http.Request, token directory.Token, err error) {
	var refusal *api.StatusError
	if errors.As(err, &refusal) && (refusal.Status == http.StatusForbidden || refusal.Status == http.StatusPaymentRequired) {
		f.config.Log.Warn("refused a request to /v2: "+refusal.Text, "method", r.Method, "path", r.URL.Path, "token", token.ID)
	}
}

// refusal is the body of an answer that is no success.
type refusal struct {
	Errors []problem `json:"errors"`
}

// problem is one reason for it.
type problem struct {
	Status int     `json:"status"`
	Title  string  `json:"title"`
	Detail string  `json:"detail"`
	Source *source `json:"source,omitempty"`
}

// source is the field that is wrong (RFC 6901).
type source struct {
	Pointer string `json:"pointer"`
}

// Refusal words an answer that is no success.
func (*Face) Refusal(e *api.StatusError) any {
	p := problem{Status: e.Status, Title: http.StatusText(e.Status), Detail: e.Text}
	if e.Field != "" {
		p.Source = &source{Pointer: "/" + e.Field}
	}
	return refusal{Errors: []problem{p}}
}

var (
	_ api.Face    = (*Face)(nil)
	_ api.Wording = (*Face)(nil)
)
