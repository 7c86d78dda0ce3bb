// SPDX-License-Identifier: MIT

package settings_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/store"
	"github.com/callwright/callwright/store/settings"
)

// What is configured holds, also after a start without any change, and is
// written once.
func TestTheFileHolds(t *testing.T) {
	t.Parallel()
	h, kept := newHouse()
	for range 2 {
		h.open(t, file)
		h.check(t, file)
		if n, ok := h.Directory().Number("default", "4921112345"); !ok || n.App != "shop" {
			t.Errorf("the number is %v, %t", n, ok)
		}
	}
	if kept.puts != 7 {
		t.Errorf("wrote %d times, want 7", kept.puts)
	}
	if h.log.Len() > 0 {
		t.Errorf("log:\n%s", &h.log)
	}
}

// Nothing that is secret is kept in the clear, nor so that a short secret could
// be guessed by its hash.
func TestSecretsAreSealed(t *testing.T) {
	t.Parallel()
	h, kept := newHouse()
	h.open(t, file)
	other, otherKept := newHouse()
	other.key = "the key of another house"
	other.open(t, file)
	for id, row := range kept.rows {
		all := string(row.Body) + row.FileHash
		for _, secret := range []string{"open sesame", "wonder", "s3cret", pass.Secret} {
			if strings.Contains(all, secret) {
				t.Errorf("%s keeps %s", id, all)
			}
		}
		if otherKept.rows[id].FileHash == row.FileHash {
			t.Errorf("%s has the same hash under another key", id)
		}
	}
	h.key = "the wrong key, in fact"
	if err := h.try(file); !errors.Is(err, settings.ErrKey) || !strings.Contains(err.Error(), "than that of encryption_key; put the earlier key back") {
		t.Errorf("with the wrong key: %v", err)
	}
	h.key = "the key of the house"
	// A secret does not open in another's place.
	moved := kept.rows[alice.EntryID()]
	moved.Account, moved.Body = "acme", []byte(strings.ReplaceAll(string(moved.Body), "default", "acme"))
	kept.rows[directory.EntryID{Kind: "user", Account: "acme", ID: "w0"}] = moved
	if err := h.try(file); !errors.Is(err, settings.ErrKey) {
		t.Errorf("a secret in another place: %v", err)
	}
}

func TestChangesHoldAtOnceAndAfterAStart(t *testing.T) {
	t.Parallel()
	h, _ := newHouse()
	h.open(t, file)
	bob := directory.User{ID: "w1", Account: "default", Username: "bob", Password: "builder", App: "shop"}
	must(t, h.put(bob))
	if u, ok := h.Directory().UserNamed("bob"); !ok || u.Password != "builder" {
		t.Errorf("bob is %v, %t", u, ok)
	}
	renamed := shop
	renamed.IncomingURL = "http://shop.example/new"
	must(t, h.put(renamed))
	must(t, h.put(directory.Number{Number: "0049 211 999", App: "shop"}))
	must(t, h.Delete(context.Background(), lines.EntryID()))
	want := file
	want.Apps = []directory.App{renamed}
	want.Users = []directory.User{alice, bob}
	want.Numbers = []directory.Number{hello, {Number: "+49211999", Account: "default", App: "shop"}}
	want.Trunks = nil
	h.check(t, want)
	for range 2 {
		h.open(t, file)
		h.check(t, want) // the file did not change, so what the API did stays
	}
	if h.log.Len() > 0 {
		t.Errorf("log:\n%s", &h.log)
	}
}

// What changes in the file is applied again, over what the API did.
func TestAChangeInTheFileIsApplied(t *testing.T) {
	t.Parallel()
	h, _ := newHouse()
	h.open(t, file)
	renamed := shop
	renamed.IncomingURL = "http://shop.example/api"
	must(t, h.put(renamed))
	must(t, h.Delete(context.Background(), lines.EntryID()))
	changed := file
	changed.Users = []directory.User{{ID: "w0", Account: "default", Name: "Alice", Username: "alice", Password: "other"}}
	back := lines
	back.From = "+4930"
	changed.Trunks = []directory.Trunk{back}
	h.open(t, changed)
	want := changed
	want.Apps = []directory.App{renamed}
	h.check(t, want)
}

func TestWhatIsGoneFromTheFileStays(t *testing.T) {
	t.Parallel()
	h, kept := newHouse()
	h.open(t, file)
	must(t, h.Delete(context.Background(), lines.EntryID()))
	less := file
	less.Numbers, less.Trunks = nil, nil
	h.open(t, less)
	if !strings.Contains(h.log.String(), `number \"+4921112345\" is no longer in the configuration file and still holds`) || strings.Count(h.log.String(), "\n") != 1 {
		t.Errorf("log:\n%s", &h.log)
	}
	want := file
	want.Trunks = nil
	h.check(t, want)
	if _, ok := kept.rows[lines.EntryID()]; ok {
		t.Error("that the trunk was deleted is still kept, though the file has it no more")
	}
	must(t, h.Delete(context.Background(), hello.EntryID()))
	if _, ok := kept.rows[hello.EntryID()]; ok {
		t.Error("the number is still kept")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	h, kept := newHouse()
	h.open(t, file)
	puts := kept.puts
	for want, e := range map[string]directory.Entry{
		`app "a" has the dialect "rcml": this version speaks sipgate`:                             directory.App{Key: "a", Dialect: "rcml"},
		`number "100" names app "b", which is not configured`:                                     directory.Number{Number: "100", Account: "default", App: "b"},
		`user "w1" has the username "alice", which user "w0" has already`:                         directory.User{ID: "w1", Account: "default", Username: "alice", Password: "x"},
		`number "+4921112345" names account "acmee", which is not configured`:                     directory.Number{Number: "+4921112345", Account: "acmee"},
		`app "shop" does not fit the others: number "+4921112345" names app "shop", which is not`: directory.App{Key: "shop", Account: "acme", Dialect: "sipgate"},
		`group "g1" has a zero character in it`:                                                   directory.Group{ID: "g1", Account: "default", Name: "a\x00b"},
	} {
		err := h.put(e)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
		var wrong *directory.EntryError
		if !errors.As(err, &wrong) || wrong.EntryID != e.EntryID() {
			t.Errorf("error %#v of %v", err, e.EntryID())
		}
	}
	ctx := context.Background()
	for want, id := range map[string]directory.EntryID{
		`number "+4921112345" still names app "shop"`: shop.EntryID(),
		`group "g0" still names user "w0"`:            alice.EntryID(),
		`number "+4921112345" still names group "g0"`: sales.EntryID(),
	} {
		var wrong *directory.EntryError
		if err := h.Delete(ctx, id); !errors.As(err, &wrong) || wrong.Error() != want || !wrong.Conflict {
			t.Errorf("delete: %v, want %s", err, want)
		}
	}
	if err := h.Delete(ctx, directory.EntryID{Kind: "app", ID: "none"}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("delete what is not there: %v", err)
	}
	h.check(t, file)
	if kept.puts != puts {
		t.Error("something was written")
	}
}

// While the database is away nothing changes.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	h, kept := newHouse()
	h.open(t, file)
	must(t, h.put(directory.User{ID: "w9", Account: "default"}))
	before := h.Entries()
	kept.away = errors.New("nobody at home")
	for _, err := range []error{
		h.put(directory.User{ID: "w1", Account: "default"}),
		h.Delete(context.Background(), lines.EntryID()),
		h.Delete(context.Background(), directory.EntryID{Kind: "user", Account: "default", ID: "w9"}),
	} {
		if !errors.Is(err, kept.away) {
			t.Errorf("error %v", err)
		}
	}
	h.check(t, before)
	if _, ok := h.Directory().User("default", "w1"); ok {
		t.Error("a user that was not kept is there")
	}
}

// silent is a Store whose database says nothing.
type silent struct{ shelf }

func (*silent) PutObject(ctx context.Context, _ store.Object) error {
	<-ctx.Done()
	return ctx.Err()
}

// A database that says nothing holds up a change, but not for ever, and nobody
// who only looks. A change goes on when the one who asked has left.
func TestDatabaseSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &house{store: &silent{shelf{rows: map[directory.EntryID]store.Object{}}}, key: "the key of the house"}
		h.open(t, directory.Entries{})
		began, given := time.Now(), make(chan error)
		left, leave := context.WithCancel(t.Context())
		go func() {
			_, err := h.Change(left, alice.EntryID(), func(directory.Entry) (directory.Entry, error) { return alice, nil })
			given <- err
		}()
		leave()
		synctest.Wait()
		if len(h.Entries().Users) != 0 || !h.Sampling() || time.Since(began) != 0 {
			t.Errorf("after %v there are %v", time.Since(began), h.Entries())
		}
		if err := <-given; !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 10*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		h.check(t, directory.Entries{})
	})
}

// An entry that says the same has the same hash in every version of callwright,
// or an upgrade would lay the whole file over what was changed at run time. A
// field that is added to an entry is left out of its JSON as long as it is empty.
func TestHashesLast(t *testing.T) {
	t.Parallel()
	h, kept := newHouse()
	h.open(t, file)
	got := map[string]string{}
	for id, row := range kept.rows {
		_, hash, _ := strings.Cut(row.FileHash, "-")
		got[id.String()] = hash[:16]
	}
	want := map[string]string{
		`account "acme"`:       "b7c2282857f6acf8",
		`app "shop"`:           "b5b970940e49f433",
		`user "w0"`:            "1af0a6cbf70d8bb2",
		`token "token-4x7Q2b"`: "b1d5fc90ba8cddb5",
		`group "g0"`:           "700c490276ef3101",
		`number "+4921112345"`: "fce6a330806b1a5e",
		`trunk "carrier"`:      "ea9fd904ce928904",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("hashes (-want +got):\n%s", diff)
	}
}

// What was made at run time gives way to the file.
func TestTheFileWins(t *testing.T) {
	t.Parallel()
	h, _ := newHouse()
	h.open(t, file)
	must(t, h.put(directory.User{ID: "w9", Account: "default", Username: "bob", Password: "x"}))
	must(t, h.put(directory.Group{ID: "g9", Account: "default", Users: []string{"w9"}}))
	changed := file
	changed.Users = []directory.User{alice, {ID: "w1", Account: "default", Username: "bob", Password: "y"}}
	h.open(t, changed)
	h.check(t, changed)
	if strings.Count(h.log.String(), "level=ERROR") != 2 || !strings.Contains(h.log.String(), `user \"w9\" has the username \"bob\", which user \"w1\" has already`) {
		t.Errorf("log:\n%s", &h.log)
	}
	must(t, h.Delete(context.Background(), directory.EntryID{Kind: "user", Account: "default", ID: "w1"}))
	h.open(t, changed)
	if len(h.Entries().Groups) != 2 {
		t.Error("what was left out is not there again when it fits")
	}
}

// A file that names again what was deleted at run time is told so.
func TestTheFileNamesWhatWasDeleted(t *testing.T) {
	t.Parallel()
	h, _ := newHouse()
	small := directory.Entries{Users: []directory.User{alice}}
	h.open(t, small)
	must(t, h.Delete(context.Background(), alice.EntryID()))
	small.Groups = []directory.Group{sales}
	err := h.try(small)
	if err == nil || !strings.Contains(err.Error(), `group "g0" names user "w0", which is not configured; user "w0" was deleted by the admin API`) {
		t.Errorf("error %v", err)
	}
}

func TestSampleHoldsWhileNothingElseDoes(t *testing.T) {
	t.Parallel()
	h, kept := newHouse()
	h.open(t, directory.Entries{})
	answers := func() bool { _, ok := h.Directory().Number("default", "100"); return ok }
	if !answers() || !h.Sampling() || len(kept.rows) != 0 {
		t.Errorf("answers %t, sampling %t, %d rows", answers(), h.Sampling(), len(kept.rows))
	}
	must(t, h.put(directory.App{Key: "k", Account: "default", Dialect: "sipgate"}))
	if !answers() || !h.Sampling() {
		t.Error("the sample does not hold beside an app, which nobody can call yet")
	}
	if strings.Contains(h.log.String(), settings.SampleOff) {
		t.Error("the log says that the sample is off")
	}
	must(t, h.put(alice))
	if answers() || h.Sampling() || !strings.Contains(h.log.String(), settings.SampleOff) {
		t.Errorf("the sample holds beside a user, or the log does not say that it is off:\n%s", &h.log)
	}
	h.open(t, directory.Entries{})
	if answers() {
		t.Error("the sample holds beside a user after a start")
	}
	must(t, h.Delete(context.Background(), alice.EntryID()))
	if !answers() {
		t.Error("the sample does not hold again")
	}
}

// Rows of another version, or that somebody else wrote, keep nobody from
// starting.
func TestOddRows(t *testing.T) {
	t.Parallel()
	h, kept := newHouse()
	for _, o := range []store.Object{
		{Kind: "spaceship", ID: "x", Body: []byte(`{}`)},
		{Kind: "user", Account: "default", ID: "x", Body: []byte(`[]`)},
		{Kind: "user", Account: "default", ID: "v", Body: []byte(`{"id":"w","account":"default"}`)},
		{Kind: "user", Account: "default", ID: "y", Body: []byte(`{"id":"y","account":"default","password":"no base64 !"}`)},
		{Kind: "user", Account: "default", ID: "z", Body: []byte(`{"id":"z","account":"default","of later":1}`)},
	} {
		kept.rows[directory.EntryID{Kind: o.Kind, Account: o.Account, ID: o.ID}] = o
	}
	h.open(t, directory.Entries{})
	h.check(t, directory.Entries{Users: []directory.User{{ID: "z", Account: "default"}}})
	if n := strings.Count(h.log.String(), "left out what the database keeps of"); n != 4 {
		t.Errorf("%d complaints, want 4:\n%s", n, &h.log)
	}
}

// Those who change at the same time lose nothing of each other.
func TestManyWriters(t *testing.T) {
	t.Parallel()
	h, _ := newHouse()
	h.open(t, directory.Entries{Users: []directory.User{{ID: "w0", Account: "default"}}})
	id := directory.EntryID{Kind: "user", Account: "default", ID: "w0"}
	var writers sync.WaitGroup
	for i := range 40 {
		writers.Go(func() {
			_, err := h.Change(context.Background(), id, func(old directory.Entry) (directory.Entry, error) {
				u := old.(directory.User)
				u.Name += "x"
				return u, nil
			})
			if err != nil {
				t.Error(err)
			}
			if err := h.put(directory.User{ID: fmt.Sprint("v", i), Account: "default"}); err != nil {
				t.Error(err)
			}
			_ = h.Entries()
		})
	}
	writers.Wait()
	if u, _ := h.Directory().User("default", "w0"); len(u.Name) != 40 || len(h.Entries().Users) != 41 {
		t.Errorf("%d changes and %d users, want 40 and 41", len(u.Name), len(h.Entries().Users))
	}
}
