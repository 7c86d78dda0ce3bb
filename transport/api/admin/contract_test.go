// SPDX-License-Identifier: MIT

package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/callwright/callwright/transport/api/admin"
)

// contract is openapi.yaml, read once.
var contract = sync.OnceValues(func() (*openapi3.T, error) {
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = false
	doc, err := loader.LoadFromFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(context.Background(), openapi3.EnableExamplesValidation())
})

// paths finds the operation of a request.
var paths = sync.OnceValues(func() (routers.Router, error) {
	doc, err := contract()
	if err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(doc)
})

// Every route is described, and all that is described is there.
func TestDescriptionAndRoutes(t *testing.T) {
	t.Parallel()
	doc, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Errorf("the document is OpenAPI %s", doc.OpenAPI)
	}
	var described []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	e := echo.New()
	admin.New(admin.Config{}).Routes(e.Group(""))
	var served []string
	for _, r := range e.Routes() {
		served = append(served, r.Method+" "+regexp.MustCompile(`:(\w+)`).ReplaceAllString(r.Path, "{$1}"))
	}
	slices.Sort(described)
	slices.Sort(served)
	if diff := cmp.Diff(served, described); diff != "" {
		t.Errorf("routes (-served +described):\n%s", diff)
	}
	if len(served) < 40 {
		t.Errorf("there are %d routes only", len(served))
	}
}

// A document that promises something else than what is answered is noticed.
func TestTheContractItself(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"a status that is not described": {418, `{"error":"x"}`},
		"a field that is not described":  {200, `{"id":"w0","account":"default","password":"x","shoe":1}`},
		"a field of another type":        {200, `{"id":7}`},
		"a field that is missing":        {200, `{"name":"Alice"}`},
		"a secret":                       {200, `{"id":"w0","password":"x"}`},
	} {
		r, err := http.NewRequest("GET", "/api/v1/users/w0", nil)
		if err != nil {
			t.Fatal(err)
		}
		if held(r, nil, answer.status, http.Header{"Content-Type": {"application/json"}}, []byte(answer.body)) == nil {
			t.Errorf("%s goes through", name)
		}
	}
}

// held says whether an answer is as it is described, and so is the request, if
// it was taken.
func held(r *http.Request, sent []byte, status int, header http.Header, body []byte) error {
	router, err := paths()
	if err != nil {
		return err
	}
	route, params, err := router.FindRoute(r)
	if errors.Is(err, routers.ErrPathNotFound) && status == http.StatusNotFound {
		return nil // nothing is promised there
	}
	if err != nil {
		return err
	}
	r = r.Clone(context.Background())
	r.Body = io.NopCloser(bytes.NewReader(sent))
	input := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
	if status < 300 {
		if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
			return err
		}
	}
	answer := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: status, Header: header, Options: input.Options,
	}
	answer.SetBodyBytes(body)
	return openapi3filter.ValidateResponse(context.Background(), answer)
}

func TestDescriptionIsServed(t *testing.T) {
	t.Parallel()
	_, url := serve(t, admin.Config{})
	status, header, body := ask(t, "GET", url+"/openapi.yaml", "")
	want, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if status != 200 || header.Get("Content-Type") != "application/yaml" || !bytes.Equal(body, want) {
		t.Errorf("got %d %s and %d bytes", status, header.Get("Content-Type"), len(body))
	}
}

// ask sends a request with the token, on a connection of its own, and holds the
// answer against openapi.yaml.
func ask(t *testing.T, method, url, body string) (int, http.Header, []byte) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	r.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := http.NewRequest(method, url[strings.Index(url, "/api/v1"):], nil)
	if err != nil {
		t.Fatal(err)
	}
	plain.Header = r.Header
	if err := held(plain, []byte(body), answer.StatusCode, answer.Header, got); err != nil {
		t.Errorf("%s %s: %d %.300s is not as described: %.1000v", method, url, answer.StatusCode, got, err)
	}
	return answer.StatusCode, answer.Header, got
}

// described holds JSON against a schema of openapi.yaml.
func described(t *testing.T, schema, text string) {
	t.Helper()
	doc, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	if err := doc.ValidateSchemaJSON(doc.Components.Schemas[schema].Value, v); err != nil {
		t.Errorf("%s is not as %s is described: %v", text, schema, err)
	}
}
