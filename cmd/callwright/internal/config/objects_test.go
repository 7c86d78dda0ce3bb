// SPDX-License-Identifier: MIT

package config_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/directory"
)

// A field of an entry can be written in the file, by the same name in the admin API,
// is described there, and reaches the entry. That the README names it sees doc_test.go.
func TestEveryFieldCanBeConfigured(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "transport", "api", "admin", "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var api struct {
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := yaml.Unmarshal(text, &api); err != nil {
		t.Fatal(err)
	}
	same := func(entry, configured reflect.Type, schema string) {
		t.Helper()
		fields, described := tags(entry, "json"), []string{}
		for property := range api.Components.Schemas[schema].Properties {
			described = append(described, property)
		}
		slices.Sort(described)
		if diff := cmp.Diff(fields, tags(configured, "koanf")); diff != "" {
			t.Errorf("%v and %v in the file (-entry +file):\n%s", entry, configured, diff)
		}
		if diff := cmp.Diff(fields, described); diff != "" {
			t.Errorf("%v and %s in openapi.yaml (-entry +described):\n%s", entry, schema, diff)
		}
	}
	same(reflect.TypeFor[directory.TrunkTLS](), reflect.TypeFor[config.TrunkTLS](), "TrunkTls")

	var file config.Objects
	lists := reflect.ValueOf(&file).Elem()
	for i := range lists.NumField() {
		list := lists.Field(i)
		list.Set(reflect.MakeSlice(list.Type(), 1, 1))
		fill(list.Index(0))
	}
	entries := reflect.ValueOf(file.Entries())
	for i := range entries.NumField() {
		kind, entry := entries.Type().Field(i), entries.Field(i).Index(0)
		configured, found := lists.Type().FieldByName(kind.Name)
		if !found {
			t.Errorf("no %s can be written in the file", kind.Name)
			continue
		}
		same(entry.Type(), configured.Type.Elem(), entry.Type().Name())
		arrived(t, entry)
	}
}

// tags gives the names that the fields of a struct have, but for those whose time is
// yet to come.
func tags(of reflect.Type, key string) (names []string) {
	for i := range of.NumField() {
		field := of.Field(i)
		if name, _, _ := strings.Cut(field.Tag.Get(key), ","); field.Tag.Get("later") == "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// fill writes something into every field: texts say what the field is called.
func fill(entry reflect.Value) {
	for i := range entry.NumField() {
		field, name := entry.Field(i), entry.Type().Field(i).Tag.Get("koanf")
		yes := true
		switch field.Interface().(type) {
		case string:
			field.SetString(name)
		case []string:
			field.Set(reflect.ValueOf([]string{name}))
		case map[string]string:
			field.Set(reflect.ValueOf(map[string]string{name: name}))
		case []netip.Prefix:
			field.Set(reflect.ValueOf(make([]netip.Prefix, 1)))
		case time.Duration:
			field.SetInt(int64(len(name)) * int64(time.Second))
		case bool:
			field.SetBool(yes)
		case *bool:
			field.Set(reflect.ValueOf(&yes))
		case int:
			field.SetInt(int64(len(name)))
		case config.TrunkTLS:
			fill(field)
		}
	}
}

// arrived sees that every field of an entry holds what fill wrote.
func arrived(t *testing.T, entry reflect.Value) {
	t.Helper()
	for i := range entry.NumField() {
		field := entry.Type().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if text := entry.Field(i); text.IsZero() || text.Kind() == reflect.String && text.String() != name && text.String() != (time.Duration(len(name))*time.Second).String() {
			t.Errorf("%v.%s is %v: the %s of the file does not reach it", entry.Type(), field.Name, text, name)
		}
		if entry.Field(i).Kind() == reflect.Struct {
			arrived(t, entry.Field(i))
		}
	}
}
