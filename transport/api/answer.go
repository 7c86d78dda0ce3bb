// SPDX-License-Identifier: MIT

package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"
)

// StatusError is an answer other than a success. A handler returns it, and the
// client gets {"error": Text}, with the "field" if there is one.
type StatusError struct {
	// Status is the HTTP status.
	Status int
	// Text is a sentence that says what to change.
	Text string
	// Field is the field of the request's body that is wrong.
	Field string
	// Err is for the log: why the server could not do what was asked.
	Err error
}

// failure is the body of such an answer.
type failure struct {
	Error string `json:"error"`
	Field string `json:"field,omitempty"`
}

// Error gives the sentence.
func (e *StatusError) Error() string { return e.Text }

// Unwrap gives why.
func (e *StatusError) Unwrap() error { return e.Err }

// Refuse makes a StatusError.
func Refuse(status int, format string, args ...any) error {
	return &StatusError{Status: status, Text: fmt.Sprintf(format, args...)}
}

// Wrong refuses a body because of one of its fields.
func Wrong(field, format string, args ...any) error {
	return &StatusError{Status: http.StatusBadRequest, Text: fmt.Sprintf(format, args...), Field: field}
}

// Missing says whether an error means that something is not kept (fs.ErrNotExist).
// The system says the same when the socket of a database is not there, which is no
// answer to that.
func Missing(err error) bool {
	var system syscall.Errno
	return errors.Is(err, fs.ErrNotExist) && !errors.As(err, &system)
}

// panicError is what a handler panicked with.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// JSON answers with v. Its only error is a v that JSON cannot carry, and then
// nothing was sent; a client that has left is none.
func JSON(c echo.Context, status int, v any) error {
	body, err := encode(v)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderXContentTypeOptions, "nosniff")
	_ = c.Blob(status, echo.MIMEApplicationJSON, body)
	return nil
}

// encode writes v as one line of JSON. It leaves <, > and & as they are, so
// that documents in a timeline stay readable.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return b.Bytes(), nil
}

// answer is around every request: it sees to it that an error or a panic
// becomes an answer, and logs how the request went.
func (s *Server) answer(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := time.Now()
		c.Set(stoppingKey, s.stopping)
		if err := caught(next, c); err != nil {
			s.fail(c, err)
		} else {
			s.tellSuccess(c.Request(), c.Path())
		}
		r := c.Request()
		s.config.Logger.LogAttrs(r.Context(), slog.LevelDebug, "http request",
			slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", c.Response().Status),
			slog.Duration("took", time.Since(began)), slog.String("from", r.RemoteAddr))
		return nil
	}
}

// caught calls a handler and gives a panic as an error.
func caught(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler: // net/http's own way to cut a connection
			panic(p)
		default:
			err = &panicError{p, debug.Stack()}
		}
	}()
	return next(c)
}

// fail answers with an error, and logs it unless the client is the cause.
func (s *Server) fail(c echo.Context, err error) {
	if c.Request().Context().Err() != nil && errors.Is(err, context.Canceled) {
		return // the client has left
	}
	refusal := refusalOf(c, err)
	if refusal == nil {
		attrs := []any{"method", c.Request().Method, "route", c.Path(), "err", err}
		var p *panicError
		if errors.As(err, &p) {
			attrs = append(attrs, "stack", string(p.stack))
		}
		s.config.Logger.Error("http request failed", attrs...)
		refusal = &StatusError{Status: http.StatusInternalServerError, Text: "the server failed to answer this; its log says why"}
	} else if refusal.Err != nil {
		s.tellFailure(c.Request(), c.Path(), refusal.Err)
	}
	if c.Response().Committed {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	_ = JSON(c, refusal.Status, s.worded(c.Request().URL.Path, refusal)) // strings never fail
}

// worded gives the body of a refusal as the face says it that has the path.
func (s *Server) worded(path string, refusal *StatusError) any {
	for prefix, words := range s.wordings {
		if rest, ok := strings.CutPrefix(path, prefix); ok && (rest == "" || rest[0] == '/') {
			return words.Refusal(refusal)
		}
	}
	return failure{Error: refusal.Text, Field: refusal.Field}
}

// refuseTunnel says to who takes this server for a proxy what it can do of it:
// requests whose target is a whole URL (RFC 9112 section 3.2.2) are answered as
// if they were sent here, but nothing is passed on to anybody.
func refuseTunnel(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Request().Method != http.MethodConnect {
			return next(c)
		}
		return Refuse(http.StatusMethodNotAllowed, "this server is the API itself and tunnels to no other; a client that sends CONNECT to its proxy must be given the URL of this server instead")
	}
}

// refusalOf gives the answer to a request that is itself at fault, else nil.
func refusalOf(c echo.Context, err error) *StatusError {
	var refusal *StatusError
	var ofRouter *echo.HTTPError
	var tooLarge *http.MaxBytesError
	r := c.Request()
	switch {
	case errors.As(err, &refusal):
		return refusal
	case errors.As(err, &tooLarge):
		return &StatusError{Status: http.StatusRequestEntityTooLarge, Text: fmt.Sprintf("the body is longer than %d bytes; send less", tooLarge.Limit)}
	case !errors.As(err, &ofRouter) || ofRouter.Code >= http.StatusInternalServerError:
		return nil
	case ofRouter.Code == http.StatusNotFound:
		return &StatusError{Status: http.StatusNotFound, Text: fmt.Sprintf("there is nothing at %s; check the path", r.URL.Path)}
	case ofRouter.Code == http.StatusMethodNotAllowed:
		return &StatusError{Status: http.StatusMethodNotAllowed, Text: fmt.Sprintf("%s is not possible at %s; use one of %s", r.Method, r.URL.Path, c.Response().Header().Get(echo.HeaderAllow))}
	}
	return &StatusError{Status: ofRouter.Code, Text: fmt.Sprint(ofRouter.Message)}
}
