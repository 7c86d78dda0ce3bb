// SPDX-License-Identifier: MIT

package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"

	"github.com/callwright/callwright/internal/nearest"
)

// EnvPrefix begins the names of environment variables: CALLWRIGHT_HTTP_LISTEN
// is http.listen.
const EnvPrefix = "CALLWRIGHT_"

// Load reads the file, if path is not empty, lays environment ("NAME=value")
// and flags (by key, "http.listen") over it, and checks the whole.
func Load(path string, environment []string, flags map[string]any) (Config, error) {
	k := koanf.New(".")
	if path != "" {
		if err := k.Load(file.Provider(path), literal{}); err != nil {
			return Config{}, fileError(path, err)
		}
	}
	// What lies over the file could hide that a whole section is wrong in it.
	later, err := checkKeys(k.Raw(), reflect.TypeFor[Config](), "")
	if err != nil {
		return Config{}, fmt.Errorf("configuration%s: %w", in(path), err)
	}
	over, warnings := fromEnvironment(environment, scalars(reflect.TypeFor[Config](), ""))
	maps.Copy(over, flags)
	if err := k.Load(confmap.Provider(over, "."), nil); err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	c := Default()
	for _, key := range later {
		warnings = append(warnings, key+" has no effect in this version")
	}
	c.Warnings = warnings
	if err := k.UnmarshalWithConf("", &c, decoding(&c)); err != nil {
		return Config{}, fmt.Errorf("configuration%s: %w", in(path), misread(err))
	}
	if err := c.check(); err != nil {
		return Config{}, fmt.Errorf("configuration%s: %w", in(path), err)
	}
	return c, nil
}

func in(path string) string {
	if path == "" {
		return ""
	}
	return " " + path
}

func fileError(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no configuration file %s: name one with --config, or leave the flag out to serve the built-in sample app", path)
	}
	return fmt.Errorf("read configuration %s: %w", path, err)
}

// decoding turns text into durations, addresses and lists.
func decoding(c *Config) koanf.UnmarshalConf {
	return koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		Result: c, TagName: "koanf", WeaklyTypedInput: true, Squash: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			mapstructure.DecodeHookFuncType(toDuration),
			mapstructure.StringToSliceHookFunc(","),
			mapstructure.DecodeHookFuncType(toNetwork),
		),
	}}
}

// toDuration reads a time, and says how to write one.
func toDuration(from, to reflect.Type, value any) (any, error) {
	if from.Kind() != reflect.String || to != reflect.TypeFor[time.Duration]() {
		return value, nil
	}
	d, err := time.ParseDuration(value.(string))
	if err != nil {
		return nil, fmt.Errorf("is %q: write a time with its unit, like 10s or 4h", value)
	}
	return d, nil
}

// misread says in one sentence which setting could not be read.
func misread(err error) error {
	var e *mapstructure.DecodeError
	if !errors.As(err, &e) {
		return err
	}
	var unread *mapstructure.ParseError
	var other *mapstructure.UnconvertibleTypeError
	switch {
	case errors.As(err, &unread) && unread.Expected.Kind() == reflect.Bool:
		return fmt.Errorf("%s is %q: write true or false", e.Name(), unread.Value)
	case errors.As(err, &other):
		return fmt.Errorf("%s holds one value, not several settings", e.Name())
	}
	return fmt.Errorf("%s %w", e.Name(), e.Unwrap())
}

// toNetwork reads a network, and says how to write one.
func toNetwork(from, to reflect.Type, value any) (any, error) {
	if from.Kind() != reflect.String || to != reflect.TypeFor[netip.Prefix]() {
		return value, nil
	}
	network, err := netip.ParsePrefix(value.(string))
	if err != nil {
		return nil, fmt.Errorf("%q is no network: write one like 192.0.2.0/24, and a single address like 192.0.2.7/32", value)
	}
	return network, nil
}

// fromEnvironment finds the variables that name a key. One that names none is
// only warned of: others set variables too, such as Kubernetes for a service of
// our name.
func fromEnvironment(environment []string, known []string) (over map[string]any, warnings []string) {
	byName := map[string]string{}
	for _, key := range known {
		byName[EnvPrefix+strings.ToUpper(strings.ReplaceAll(key, ".", "_"))] = key
	}
	over = map[string]any{}
	for _, pair := range environment {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, EnvPrefix) {
			continue
		}
		key, ok := byName[name]
		if !ok {
			warning := "environment variable " + name + " names no setting"
			if best := nearest.Of(name, slices.Collect(maps.Keys(byName))); best != "" {
				warning += fmt.Sprintf(": did you mean %q?", best)
			}
			warnings = append(warnings, warning)
			continue
		}
		over[key] = value
	}
	return over, warnings
}

// fields gives the keys of a struct, those of squashed structs included.
func fields(t reflect.Type) map[string]reflect.StructField {
	all := map[string]reflect.StructField{}
	for i := range t.NumField() {
		f := t.Field(i)
		key, option, _ := strings.Cut(f.Tag.Get("koanf"), ",")
		switch {
		case option == "squash":
			maps.Copy(all, fields(f.Type))
		case key != "-":
			all[key] = f
		}
	}
	return all
}

// holdsSettings says whether a type is a section of the configuration and not a
// value of its own, such as an address.
func holdsSettings(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.Field(0).Tag.Get("koanf") != ""
}

// scalars lists the keys that hold one value or a list of words.
func scalars(t reflect.Type, prefix string) []string {
	var keys []string
	for key, f := range fields(t) {
		switch {
		case f.Tag.Get("later") != "":
		case holdsSettings(f.Type):
			keys = append(keys, scalars(f.Type, prefix+key+".")...)
		case f.Type.Kind() == reflect.Slice && holdsSettings(f.Type.Elem()):
		default:
			keys = append(keys, prefix+key)
		}
	}
	return keys
}

// checkKeys sees that every key of the map is one of the struct's, and lists
// those that are set without having an effect in this version.
func checkKeys(m map[string]any, t reflect.Type, path string) (later []string, err error) {
	known := fields(t)
	for _, key := range slices.Sorted(maps.Keys(m)) {
		f, ok := known[key]
		if !ok {
			return nil, fmt.Errorf("unknown key %q%s", path+key, meant(key, slices.Collect(maps.Keys(known))))
		}
		if f.Tag.Get("later") != "" {
			later = append(later, path+key)
			continue
		}
		more, err := checkValue(m[key], f.Type, path+key)
		if err != nil {
			return nil, err
		}
		later = append(later, more...)
	}
	return later, nil
}

func checkValue(v any, t reflect.Type, path string) ([]string, error) {
	switch {
	case holdsSettings(t):
		m, ok := v.(map[string]any)
		if !ok && v != nil {
			return nil, fmt.Errorf("%s holds several settings, not one value", path)
		}
		return checkKeys(m, t, path+".")
	case t.Kind() == reflect.Slice && holdsSettings(t.Elem()):
		list, ok := v.([]any)
		if !ok && v != nil {
			return nil, fmt.Errorf("%s is a list: begin each entry with a dash", path)
		}
		var later []string
		for i, entry := range list {
			more, err := checkValue(entry, t.Elem(), fmt.Sprintf("%s[%d]", path, i))
			if err != nil {
				return nil, err
			}
			later = append(later, more...)
		}
		return later, nil
	}
	return nil, nil
}

// meant is the end of a complaint about an unknown word.
func meant(word string, known []string) string {
	if best := nearest.Of(word, known); best != "" {
		return fmt.Sprintf(": did you mean %q?", best)
	}
	slices.Sort(known)
	return ": the known ones are " + strings.Join(known, ", ")
}
