// SPDX-License-Identifier: MIT

package server_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/transport/sip/phone"
)

// switchboard is an exchange with a number that rings Bob and has an app, and a
// phone outside that calls by a trunk.
type switchboard struct {
	*exchange
	outside *phone.Phone
	app     *app
	folder  string
	// plays is what the app has the first call do.
	plays string
	first atomic.Bool
	asked []url.Values // under the app's lock
}

// outsideTone is that of the phone outside; a 425 Hz tone is ours: ringing, or hold.
const outsideTone, ourTone = 700, 425

func newSwitchboard(t *testing.T) *switchboard {
	b := &switchboard{exchange: &exchange{t: t}, folder: filepath.Join(t.TempDir(), "recordings")}
	user := func(name string, tone float64) *phone.Phone {
		p, err := phone.New(phone.Config{Listen: "127.0.0.1:0", User: name, Tone: tone})
		b.must(err)
		t.Cleanup(func() { _ = p.Close() })
		return p
	}
	b.alice, b.bob, b.carol = user("alice", 1300), user("bob", bobTone), user("carol", carolTone)
	b.outside = user("+4930111", outsideTone)
	b.app = newApp(t, func(base string, r *http.Request) string {
		if strings.HasSuffix(r.URL.Path, ".wav") {
			return "no sound at all"
		}
		if r.PostFormValue("event") == "newCall" {
			b.app.mu.Lock()
			b.asked = append(b.asked, r.PostForm)
			b.app.mu.Unlock()
		}
		do := ""
		if b.first.CompareAndSwap(true, false) {
			do = b.plays
		}
		return `<Response onAnswer="` + base + `" onHangup="` + base + `">` + do + `</Response>`
	})
	b.Server = start(t, b.app.URL, func(c *config.Config) {
		c.Recordings = b.folder
		c.Apps[0].OutgoingURL, c.Trunks[0].Address = b.app.URL, b.outside.Addr().String()
		c.Speech.Provider, c.Speech.URL = "http", b.app.URL+"/none.wav" // tones announce a recording then
		c.Numbers[0].Users = []string{"b"}
		for _, p := range []*phone.Phone{b.alice, b.bob, b.carol} {
			name := strings.TrimPrefix(strings.Split(p.URI(), "@")[0], "sip:")
			c.Users = append(c.Users, config.User{ID: name[:1], Username: name, Name: name, Password: "secret", Contact: p.URI(), App: "app"})
			if name == "carol" {
				c.Users[len(c.Users)-1].CallerID = "+49211777"
			}
		}
	})
	return b
}

// comesIn is a call from outside that Bob picks up, and its id.
func (b *switchboard) comesIn() (out, in *phone.Call, id engine.ID) {
	b.t.Helper()
	out, err := b.outside.Dial(b.at("+4921112345"), phone.CallOptions{})
	b.must(err)
	in = b.pickUp(b.bob)
	b.must(out.WaitAnswer(b.t.Context()))
	b.talk(out, bobTone, in, outsideTone)
	talks := b.Engine.Talks(directory.DefaultAccount)
	if len(talks) != 1 {
		b.t.Fatalf("conversations: %+v", talks)
	}
	return out, in, talks[0].ID
}

// tells waits until the app has been told exactly this, in order.
func (b *switchboard) tells(events ...string) {
	b.t.Helper()
	var got []string
	until(b.t, "the app to be told everything", func() bool {
		b.app.mu.Lock()
		defer b.app.mu.Unlock()
		got = slices.DeleteFunc(slices.Clone(b.app.events), func(e string) bool { return e == "" }) // a file is fetched
		return len(got) >= len(events)
	})
	if !slices.Equal(got, events) {
		b.t.Errorf("the app was told %v, want %v", got, events)
	}
}

// news are the newCalls that the app was asked about.
func (b *switchboard) news() []url.Values {
	b.app.mu.Lock()
	defer b.app.mu.Unlock()
	return slices.Clone(b.asked)
}

// silent sees that nothing is heard on calls for half a second.
func (b *switchboard) silent(calls ...*phone.Call) {
	b.t.Helper()
	for _, c := range calls {
		b.must(c.WaitSilence(b.t.Context(), 500*time.Millisecond, -40))
	}
}

func TestControlAConversation(t *testing.T) {
	t.Parallel()
	b := newSwitchboard(t)
	ctx := t.Context()
	out, in, id := b.comesIn()

	b.must(b.Engine.Mute(id, true))
	b.silent(out)
	b.must(in.WaitTone(ctx, outsideTone, phone.Level-3))
	b.must(b.Engine.Mute(id, false))
	b.talk(out, bobTone, in, outsideTone)

	b.must(b.Engine.Hold(id, true))
	for _, c := range []*phone.Call{out, in} {
		b.must(c.WaitTone(ctx, ourTone, -30))
	}
	b.silent(out, in)
	b.all(2000, func() error { return b.Engine.Announce(ctx, id, "tone:2000/600") }, out, in)
	b.must(out.WaitTone(ctx, ourTone, -30)) // still on hold
	b.must(b.Engine.Hold(id, false))
	b.talk(out, bobTone, in, outsideTone)

	b.all(2000, func() error { return b.Engine.Announce(ctx, id, "tone:2000/600") }, out, in)
	b.talk(out, bobTone, in, outsideTone)
	var bad *engine.SoundError
	if err := b.Engine.Announce(ctx, id, b.app.URL+"/bad.wav"); !errors.As(err, &bad) {
		t.Errorf("a file without sound: %v", err)
	}

	b.must(b.Engine.SendDigits(id, "42"))
	for _, c := range []*phone.Call{out, in} {
		b.must(c.WaitDigits(ctx, media.ByEvent, 2))
	}

	b.all(1400, func() error { return b.Engine.RecordTalk(ctx, id, true, true) }, out, in)
	recording := func(is bool) func() bool {
		return func() bool { return b.Engine.Talks(directory.DefaultAccount)[0].Recording == is }
	}
	until(t, "the tape to run", recording(true))
	b.talk(out, bobTone, in, outsideTone)
	b.must(b.Engine.RecordTalk(ctx, id, false, false))
	until(t, "the tape to end", recording(false))
	if files, err := os.ReadDir(b.folder); err != nil || len(files) != 1 {
		t.Errorf("recordings: %v, %v", files, err)
	}
	b.must(b.Engine.Hangup(id, engine.CauseNormal))
	b.over(out, in)
	b.tells("newCall", "answer", "hangup normalClearing")
}

// What is asked while Bob's phone rings happens when he has picked it up.
func TestControlBeforeTheyTalk(t *testing.T) {
	t.Parallel()
	b := newSwitchboard(t)
	ctx := t.Context()
	out, err := b.outside.Dial(b.at("+4921112345"), phone.CallOptions{})
	b.must(err)
	in, err := b.bob.Accept(ctx)
	b.must(err)
	b.must(in.Ring())
	id, err := engine.ParseID(b.news()[0].Get("callId"))
	b.must(err)
	b.must(b.Engine.Mute(id, true))
	b.must(b.Engine.SendDigits(id, "42"))
	b.must(b.Engine.RecordTalk(ctx, id, true, true))
	b.must(in.Answer())
	b.must(out.WaitAnswer(ctx))
	for _, c := range []*phone.Call{out, in} {
		b.must(c.WaitTone(ctx, 1400, -30)) // announces the recording
		b.must(c.WaitDigits(ctx, media.ByEvent, 2))
	}
	b.must(in.WaitTone(ctx, outsideTone, phone.Level-3))
	b.silent(out)
	until(t, "the tape to run", func() bool { return b.Engine.Talks(directory.DefaultAccount)[0].Recording })
	b.must(b.Engine.EndCall(id))
	b.over(out, in)
}

// A transfer to nobody returns the caller to the conversation; one that succeeds is
// told as the vendor does.
func TestTransferByTheAPI(t *testing.T) {
	t.Parallel()
	b := newSwitchboard(t)
	out, in, id := b.comesIn()
	b.must(b.Engine.Transfer(id, engine.TransferOrder{To: "c"}))
	carol, err := b.carol.Accept(t.Context())
	b.must(err)
	b.talk(out, bobTone, in, outsideTone) // while it rings
	carol.Reject(486, "Busy Here")
	b.over(carol)
	b.talk(out, bobTone, in, outsideTone)

	until(t, "the first attempt to be over", func() bool {
		return b.Engine.Transfer(id, engine.TransferOrder{To: "c"}) == nil
	})
	carol = b.pickUp(b.carol)
	b.over(in)
	b.talk(out, carolTone, carol, outsideTone)
	out.Hangup()
	b.over(out, carol)
	b.tells("newCall", "answer", "newCall", "hangup busy", "newCall", "answer", "hangup forwarded", "hangup normalClearing")
	news := b.news()
	first, last := news[0], news[2]
	for field, want := range map[string]string{
		"from": "4930111", "to": "49211777", "diversion": "4921112345", "origCallId": first.Get("callId"), "xcid": first.Get("xcid"),
		"user[]": "carol", "direction": "in",
	} {
		if got := last.Get(field); got != want {
			t.Errorf("newCall of who is there has %s=%q, want %q", field, got, want)
		}
	}
	if got := b.causes(); got != "busy busy forwarded normal normal transferred" {
		t.Errorf("causes: %s", got)
	}
}

// The owner talks with somebody before the caller does.
func TestAttendedTransferByTheAPI(t *testing.T) {
	t.Parallel()
	for _, returns := range []bool{true, false} {
		b := newSwitchboard(t)
		ctx := t.Context()
		out, in, id := b.comesIn()
		b.must(b.Engine.Transfer(id, engine.TransferOrder{To: "c", Attended: true}))
		carol, err := b.carol.Accept(ctx)
		b.must(err)
		b.must(carol.Ring())
		b.must(in.WaitTone(ctx, ourTone, -30))  // it rings
		b.must(out.WaitTone(ctx, ourTone, -30)) // on hold
		b.must(carol.Answer())
		b.must(carol.WaitAnswer(ctx))
		b.talk(in, carolTone, carol, bobTone)
		b.silent(out)
		if returns {
			carol.Hangup()
			b.over(carol)
			b.talk(out, bobTone, in, outsideTone)
			in.Hangup()
			b.over(in, out)
			continue
		}
		in.Hangup()
		b.over(in)
		b.talk(out, carolTone, carol, outsideTone)
		carol.Hangup()
		b.over(carol, out)
	}
}

// So it is where the owner made the call. Who was called goes on as the next call, of
// which the app is told.
func TestAttendedTransferOfACallOut(t *testing.T) {
	t.Parallel()
	for _, returns := range []bool{true, false} {
		b := newSwitchboard(t)
		ctx := t.Context()
		id, err := b.Engine.Originate(engine.Origination{Caller: directory.Address{Kind: directory.KindUser, Value: "a"}, Callee: "+4930111"})
		b.must(err)
		owner := b.pickUp(b.alice)
		other := b.pickUp(b.outside)
		b.talk(owner, outsideTone, other, 1300)
		b.must(b.Engine.Transfer(id, engine.TransferOrder{To: "c", Attended: true}))
		carol, err := b.carol.Accept(ctx)
		b.must(err)
		b.must(carol.Ring())
		b.must(owner.WaitTone(ctx, ourTone, -30)) // it rings
		b.must(other.WaitTone(ctx, ourTone, -30)) // on hold
		b.must(carol.Answer())
		b.must(carol.WaitAnswer(ctx))
		b.talk(owner, carolTone, carol, 1300)
		b.silent(other)
		if returns {
			carol.Hangup()
			b.over(carol)
			b.talk(owner, outsideTone, other, 1300)
			owner.Hangup()
			b.over(owner, other)
			b.tells("newCall", "answer", "newCall", "answer", "hangup normalClearing", "hangup normalClearing")
			continue
		}
		owner.Hangup()
		b.over(owner)
		b.talk(other, carolTone, carol, outsideTone)
		carol.Hangup()
		b.over(carol, other)
		b.tells("newCall", "answer", "newCall", "answer", "hangup forwarded", "hangup normalClearing")
		news := b.news()
		for field, want := range map[string]string{
			"from": "4930111", "to": "49211777", "origCallId": news[0].Get("callId"), "xcid": news[0].Get("xcid"), "user[]": "carol", "direction": "in",
		} {
			if got := news[1].Get(field); got != want {
				t.Errorf("newCall of who is there has %s=%q, want %q", field, got, want)
			}
		}
	}
}

// The caller's phone rings first, then the callee's; the id that the API got controls
// the call to its end.
func TestCallByTheAPI(t *testing.T) {
	t.Parallel()
	b := newSwitchboard(t)
	id, err := b.Engine.Originate(engine.Origination{
		Caller: directory.Address{Kind: directory.KindUser, Value: "c"}, Callee: "+4921112345", CallerID: "+4921112345",
	})
	b.must(err)
	carol, err := b.carol.Accept(t.Context())
	b.must(err)
	early, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := b.bob.Accept(early); err == nil {
		t.Fatal("the callee rings before the caller has picked up")
	}
	b.must(carol.Answer())
	b.must(carol.WaitAnswer(t.Context()))
	bob, err := b.bob.Accept(t.Context())
	b.must(err)
	b.must(bob.Ring())
	b.must(carol.WaitTone(t.Context(), ourTone, -30)) // it rings
	b.must(bob.Answer())
	b.must(bob.WaitAnswer(t.Context()))
	b.talk(carol, bobTone, bob, carolTone)
	b.must(b.Engine.Mute(id, true)) // Carol, who began it
	b.silent(bob)
	if talks := b.Engine.Talks(directory.DefaultAccount); len(talks) != 1 || talks[0].ID != id || !talks[0].Muted {
		t.Errorf("conversations: %+v, want %s", talks, id)
	}
	b.must(b.Engine.Hangup(id, engine.CauseNormal))
	b.over(carol, bob)
	b.tells("newCall", "newCall", "answer", "answer", "hangup normalClearing", "hangup normalClearing")
}

// Where a call by the API goes to voicemail its caller is still in it, and so it can be
// ended.
func TestCallByTheAPIGoesToVoicemail(t *testing.T) {
	t.Parallel()
	b := newSwitchboard(t)
	body := `{"number":"+4921112346","app":"app","users":["a"],"voicemail_after":"1s"}`
	if status, text := ask(t, b.Server, b.Token, "PUT", "/api/v1/numbers/+4921112346", body); status/100 != 2 {
		t.Fatalf("the number: %d %s", status, text)
	}
	id, err := b.Engine.Originate(engine.Origination{
		Caller: directory.Address{Kind: directory.KindUser, Value: "c"}, Callee: "+4921112346",
	})
	b.must(err)
	carol := b.pickUp(b.carol)
	alice, err := b.alice.Accept(t.Context())
	b.must(err)
	b.must(alice.Ring())
	b.over(alice)
	until(t, "the voicemail", func() bool {
		calls, _, err := b.Store.Calls(t.Context(), 10, "")
		b.must(err)
		return slices.ContainsFunc(calls, func(c engine.Record) bool {
			return c.AnsweredBy != nil && c.AnsweredBy.Kind == directory.KindVoicemail && c.ID != id
		})
	})
	if _, err := b.Engine.AccountOf(id); err != nil {
		t.Errorf("the call of the API: %v", err)
	}
	b.must(b.Engine.Hangup(id, engine.CauseNormal))
	b.over(carol)
	b.tells("newCall", "newCall", "hangup forwarded", "newCall", "answer", "answer", "hangup normalClearing", "hangup normalClearing")
}

// A user who has called a customer hands it to a colleague: that is a call of its own
// in the chain, by whose id it is listed.
func TestTransferOfACallThatAUserMade(t *testing.T) {
	t.Parallel()
	b := newSwitchboard(t)
	b.trunk(b.outside)
	id, err := b.Engine.Originate(engine.Origination{
		Caller: directory.Address{Kind: directory.KindUser, Value: "c"}, Callee: "+4930111",
	})
	b.must(err)
	carol := b.pickUp(b.carol)
	out := b.pickUp(b.outside)
	b.talk(carol, outsideTone, out, carolTone)
	b.must(b.Engine.Transfer(id, engine.TransferOrder{To: "b"}))
	bob, err := b.bob.Accept(t.Context())
	b.must(err)
	b.talk(carol, outsideTone, out, carolTone) // while it rings
	b.must(bob.Answer())
	b.must(bob.WaitAnswer(t.Context()))
	b.over(carol)
	b.talk(out, bobTone, bob, outsideTone)
	news := b.news()
	talks := b.Engine.Talks(directory.DefaultAccount)
	if len(talks) != 1 || len(news) != 2 || !strings.EqualFold(news[1].Get("callId"), talks[0].ID.Hex()) {
		t.Fatalf("conversations: %+v, and the app was asked about %v", talks, news)
	}
	for field, want := range map[string]string{
		"from": "4930111", "to": "4921112345", "diversion": "49211777", "origCallId": news[0].Get("callId"), "xcid": news[0].Get("xcid"),
		"user[]": "bob", "direction": "in",
	} {
		if got := news[1].Get(field); got != want {
			t.Errorf("newCall of who is there has %s=%q, want %q", field, got, want)
		}
	}
	b.must(b.Engine.Hold(talks[0].ID, true))
	b.must(out.WaitTone(t.Context(), ourTone, -30))
	b.must(b.Engine.Hangup(talks[0].ID, engine.CauseNormal))
	b.over(out, bob)
	b.tells("newCall", "answer", "newCall", "answer", "hangup forwarded", "hangup normalClearing")
}

// A call that hears something is sent to a user at once, or to a number outside.
func TestSentOnOutOfAPlay(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"c", "+4930222222"} {
		b := newSwitchboard(t)
		b.plays = `<Play><Url>tone:2000/60000</Url></Play>`
		b.first.Store(true)
		b.trunk(b.carol)
		out, err := b.outside.Dial(b.at("+4921112345"), phone.CallOptions{})
		b.must(err)
		b.must(out.WaitTone(t.Context(), 2000, -30))
		calls, _, err := b.Store.Calls(t.Context(), 10, "")
		b.must(err)
		b.must(b.Engine.Transfer(calls[0].ID, engine.TransferOrder{To: to}))
		carol := b.pickUp(b.carol)
		b.must(out.WaitAnswer(t.Context()))
		b.talk(out, carolTone, carol, outsideTone)
		out.Hangup()
		b.over(out, carol)
		if to == "c" {
			b.tells("newCall", "hangup forwarded", "newCall", "answer", "hangup normalClearing")
		} else {
			b.tells("newCall", "answer", "hangup normalClearing")
		}
	}
}

// trunk has calls outside go to a phone.
func (b *switchboard) trunk(to *phone.Phone) {
	b.t.Helper()
	body := `{"address":"` + to.Addr().String() + `","allow_from":["127.0.0.1/32"]}`
	if status, text := ask(b.t, b.Server, b.Token, "PUT", "/api/v1/trunks/test", body); status/100 != 2 {
		b.t.Fatalf("the trunk: %d %s", status, text)
	}
}
