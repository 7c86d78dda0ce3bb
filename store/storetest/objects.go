// SPDX-License-Identifier: MIT

package storetest

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/store"
)

// fullObject has something in every field.
func fullObject() store.Object {
	return store.Object{
		Kind: "user", Account: "acme", ID: "w0",
		Body:     []byte(`{"id": "w0", "name": "Zoë \"Z\"", "deep": {"list": [1, 2.5, null, true], "empty": {}}, "ring": 9007199254740993}`),
		FileHash: "9f86d081", UpdatedAt: moment,
	}
}

// sameJSON compares bodies by what they mean.
var sameJSON = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Body" }, cmp.Comparer(func(a, b []byte) bool {
	var left, right any
	return json.Unmarshal(a, &left) == nil && json.Unmarshal(b, &right) == nil && reflect.DeepEqual(left, right)
}))

// there demands that these objects are there and no other.
func there(t testing.TB, s Store, want ...store.Object) {
	t.Helper()
	got, err := s.Objects(waiting(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, sameJSON); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}

// put puts objects; each is there right after.
func put(t testing.TB, s Store, objects ...store.Object) {
	t.Helper()
	for _, o := range objects {
		if err := s.PutObject(waiting(t), o); err != nil {
			t.Fatal(err)
		}
	}
}

func objects(t *testing.T, db Database) {
	s := fresh(t, db)
	there(t, s)
	first := fullObject()
	demandFull(t, reflect.ValueOf(first), "Object")
	app, foreign, second, bare := first, first, first, store.Object{Kind: "Zone", ID: "z", Body: []byte("null"), UpdatedAt: moment}
	app.Kind, foreign.Account, second.ID = "app", "zoo", "w1"
	put(t, s, second, foreign, first, bare, app)
	there(t, s, bare, app, first, second, foreign)

	changed := store.Object{Kind: first.Kind, Account: first.Account, ID: first.ID, Body: []byte("[1]"), UpdatedAt: moment.AddDate(0, 0, 1)}
	put(t, s, changed, changed) // all of the first must be gone
	there(t, s, bare, app, changed, second, foreign)

	if err := s.DeleteObject(waiting(t), "user", "acme", "w1"); err != nil {
		t.Error(err)
	}
	if err := s.DeleteObject(waiting(t), "user", "acme", "w1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("deleted twice: %v, want ErrNotFound", err)
	}
	there(t, s, bare, app, changed, foreign)
}

func badObjects(t *testing.T, db Database) {
	s := fresh(t, db)
	good := fullObject()
	for name, spoil := range map[string]func(*store.Object){
		"no kind": func(o *store.Object) { o.Kind = "" },
		"no id":   func(o *store.Object) { o.ID = "" },
		"no body": func(o *store.Object) { o.Body = nil },
		"no JSON": func(o *store.Object) { o.Body = []byte(`{"id": w0}`) },
		"more":    func(o *store.Object) { o.Body = []byte(`{} {}`) },
	} {
		o := good
		spoil(&o)
		if err := s.PutObject(waiting(t), o); !errors.Is(err, store.ErrRefused) {
			t.Errorf("%s: %v, want ErrRefused", name, err)
		}
	}
	there(t, s)
	// What JSON allows must not fail for the bytes that are in it.
	odd := good
	odd.ID, odd.Body = "w\x00\xff", []byte("{\"name\": \"\\u0000 \\\\u0000 \\ud800 \xff\"}")
	put(t, s, odd)
	got, err := s.Objects(waiting(t))
	if err != nil || len(got) != 1 || !json.Valid(got[0].Body) {
		t.Errorf("got %+v, %v, want the odd one", got, err)
	}
}

func reopenedObjects(t *testing.T, db Database) {
	place := db.Create(t)
	s := open(t, db, place)
	put(t, s, fullObject())
	shut(t, s)
	there(t, open(t, db, place), fullObject())
}
