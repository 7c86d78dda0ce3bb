// SPDX-License-Identifier: MIT

package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/internal/nearest"
	"github.com/callwright/callwright/transport/api"
)

// fields are a JSON object that was sent.
type fields map[string]json.RawMessage

// readFields reads the body of a request.
func readFields(c echo.Context) (fields, error) {
	text, err := api.ReadBody(c.Request())
	if err != nil {
		return nil, err
	}
	var f fields
	var syntax *json.SyntaxError
	switch err := json.Unmarshal(text, &f); {
	case errors.As(err, &syntax):
		return nil, api.Refuse(http.StatusBadRequest, "the body is no JSON: %s behind byte %d", syntax, syntax.Offset)
	case err != nil, f == nil:
		return nil, api.Refuse(http.StatusBadRequest, `the body must be one JSON object, like {"id": "w0"}`)
	}
	return f, nil
}

// text gives a field that should be a text; empty when it is not there.
func (f fields) text(name string) (text string, err error) {
	if raw, ok := f[name]; ok && json.Unmarshal(raw, &text) != nil {
		return "", api.Wrong(name, "%s must be a text: write it in quotes", name)
	}
	return text, nil
}

// has says whether a field was sent, and is not null.
func (f fields) has(name string) bool {
	raw, ok := f[name]
	return ok && string(raw) != "null"
}

// into lays the fields over an object. A null leaves what is there.
func (f fields) into(e directory.Entry) (directory.Entry, error) {
	v := reflect.New(reflect.TypeOf(e)).Elem()
	v.Set(reflect.ValueOf(e))
	known := map[string]reflect.Value{}
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		known[name] = v.Field(i)
	}
	for _, name := range slices.Sorted(maps.Keys(f)) {
		field, ok := known[name]
		if !ok {
			return nil, api.Wrong(name, "there is no field %q%s", name, meant(name, slices.Collect(maps.Keys(known))))
		}
		if err := json.Unmarshal(f[name], field.Addr().Interface()); err != nil {
			return nil, api.Wrong(name, "%s must be %s", name, wanted(field.Type()))
		}
	}
	return v.Interface().(directory.Entry), nil
}

// wanted says what a field may hold.
func wanted(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[[]netip.Prefix]():
		return `a list of networks, like ["192.0.2.0/24"], a single address like ["192.0.2.7/32"]`
	case t.Kind() == reflect.Slice:
		return `a list of texts, like ["w0", "w1"]`
	case t.Kind() == reflect.Map:
		return `an object of texts, like {"X-Name": "value"}`
	case t.Kind() == reflect.Bool:
		return "true or false"
	}
	return "a text: write it in quotes"
}

// meant is the end of a complaint about an unknown word.
func meant(word string, known []string) string {
	if best := nearest.Of(word, known); best != "" {
		return fmt.Sprintf(": did you mean %q?", best)
	}
	slices.Sort(known)
	return ": the known ones are " + strings.Join(known, ", ")
}

// over lays the fields over an object as a merge patch does (RFC 7396): null
// takes a field out.
func (f fields) over(old directory.Entry) (fields, error) {
	text, err := json.Marshal(old)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", old.EntryID(), err)
	}
	patch, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("read a patch: %w", err)
	}
	var was, change any
	if err := errors.Join(json.Unmarshal(text, &was), json.Unmarshal(patch, &change)); err != nil {
		return nil, fmt.Errorf("read a patch: %w", err)
	}
	merged, err := json.Marshal(merge(was, change))
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", old.EntryID(), err)
	}
	var all fields
	return all, json.Unmarshal(merged, &all)
}

// merge is MergePatch of RFC 7396 section 2.
func merge(target, patch any) any {
	change, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	was, ok := target.(map[string]any)
	if !ok {
		was = map[string]any{}
	}
	for name, value := range change {
		if value == nil {
			delete(was, name)
		} else {
			was[name] = merge(was[name], value)
		}
	}
	return was
}
