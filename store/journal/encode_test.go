// SPDX-License-Identifier: MIT

package journal

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// fill puts something into every field there is, so that one which is new to
// the engine and not written here is found.
func fill(t *rapid.T, v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(rapid.Int64Range(0, 1<<37).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()))
		return
	case engine.ID:
		v.Set(reflect.ValueOf(engine.NewID()))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.StringN(1, 20, -1).Draw(t, "string"))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64Range(1, math.MaxInt32).Draw(t, "int"))
	case reflect.Float64:
		v.SetFloat(rapid.Float64Range(1, 4.5).Draw(t, "float"))
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(rapid.Uint32Min(1).Draw(t, "uint")))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0))
	case reflect.Map:
		v.Set(reflect.ValueOf(engine.DialectState(rapid.MapOfN(rapid.String(), rapid.String(), 1, 3).Draw(t, "map"))))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case reflect.Interface: // figures; they come back as the text they are
		v.Set(reflect.ValueOf(json.RawMessage(`{"ssrc":18446744073709551615,"loss":0.1,"codec":"\u003cPCMA\u003e"}`)))
	default:
		t.Fatalf("%v: teach the test how to fill this", v.Type())
	}
}

func drawn[T engine.Change](t *rapid.T) engine.Change {
	var c T
	fill(t, reflect.ValueOf(&c).Elem())
	return c
}

func TestEveryFieldComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := []engine.Change{
			drawn[engine.RecordSaved](t), drawn[engine.EventAdded](t),
			drawn[engine.RegistrationSaved](t), drawn[engine.RegistrationEnded](t),
			drawn[engine.RecordingSaved](t), drawn[engine.RecordingDeleted](t),
		}
		text, err := encode(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("came back (-want +got):\n%s", diff)
		}
	})
}

// TestWhatIsEmptyStaysEmpty: nil is not the same as nothing in it.
func TestWhatIsEmptyStaysEmpty(t *testing.T) {
	t.Parallel()
	want := []engine.Change{
		engine.RecordSaved{}, engine.RecordSaved{Record: engine.Record{Dialect: engine.DialectState{}}},
		engine.EventAdded{}, engine.EventAdded{Event: engine.Event{Data: engine.Data{Party: &directory.Address{}, Problem: &engine.Problem{}}}},
		engine.RegistrationSaved{}, engine.RegistrationEnded{}, engine.RecordingSaved{}, engine.RecordingDeleted{},
	}
	text, err := encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("came back (-want +got):\n%s", diff)
	}
}

// TestFiguresAreTheSameText as those that never went through the journal.
func TestFiguresAreTheSameText(t *testing.T) {
	t.Parallel()
	for name, figures := range map[string]any{
		"a struct": struct {
			Packets uint64 `json:"packets"`
			Codec   string `json:"codec"`
		}{math.MaxUint64, "<PCMA> & \u2028"},
		"a map":         map[string]any{"b": 0.1, "a": []int{1, 2}},
		"a nil pointer": (*int)(nil),
	} {
		e := engine.Event{Data: engine.Data{Figures: figures}}
		text, err := encode([]engine.Change{engine.EventAdded{Event: e}})
		if err != nil {
			t.Fatal(err)
		}
		changes, err := decode(text)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := json.Marshal(e.Data)
		got, err := json.Marshal(changes[0].(engine.EventAdded).Event.Data)
		if err != nil || string(got) != string(want) {
			t.Errorf("%s came back as %s, %v, want %s", name, got, err, want)
		}
	}
}

func TestWhatCannotBeWrittenIsSaid(t *testing.T) {
	t.Parallel()
	e := engine.Event{Seq: 3, Text: "a\x00b\xff", Data: engine.Data{Figures: math.NaN()}}
	text, err := encode([]engine.Change{engine.EventAdded{Event: e}})
	if err != nil {
		t.Fatal(err)
	}
	changes, err := decode(text)
	if err != nil {
		t.Fatal(err)
	}
	got := changes[0].(engine.EventAdded).Event
	figures, _ := got.Data.Figures.(json.RawMessage)
	if got.Seq != 3 || got.Text != "a\x00b\ufffd" || !strings.Contains(string(figures), "could not be written") {
		t.Errorf("came back as %+v with figures %s", got, figures)
	}
	if _, err := encode([]engine.Change{nil}); err == nil {
		t.Error("a change that is none was written")
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{``, `{}`, `[{}]`, `[{"room_saved":{}}]`, `[{"event_added":{"seq":"x"}}]`, `[{"record_saved":{"id":"no"}}]`} {
		if changes, err := decode([]byte(text)); err == nil {
			t.Errorf("%s is read as %v", text, changes)
		}
	}
}
