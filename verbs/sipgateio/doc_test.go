// SPDX-License-Identifier: MIT

package sipgateio

import (
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// reference is the page for app developers.
func reference(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../doc/sipgate.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The documents of the reference are what they should be.
func TestReferenceDocuments(t *testing.T) {
	t.Parallel()
	documents := regexp.MustCompile("(?s)```xml\n(.*?)```").FindAllStringSubmatch(reference(t), -1)
	if len(documents) < 5 {
		t.Fatalf("%d documents", len(documents))
	}
	for _, found := range documents {
		d, problems := parse(found[1], "application/xml", "in")
		if len(problems) > 0 || len(d.Program) == 0 {
			t.Errorf("%s\n%d verbs, problems %v", found[1], len(d.Program), problems)
		}
	}
}

// The reference names every push and every field, and every element and attribute
// that is read.
func TestReferenceIsWhole(t *testing.T) {
	t.Parallel()
	text := reference(t)
	c := call(t)
	c.Diversion, c.Dialect[OnEvent] = "+4930123456", eventsURL
	alices := directory.Address{Kind: directory.KindUser, Value: "w0"}
	stored := func(kind engine.RecordingKind) engine.Event {
		r := engine.Recording{ID: c.ID, Call: c.ID, Kind: kind, Box: "w0"}
		return engine.Event{Kind: engine.EventRecorded, Data: engine.Data{URL: "http://h/", Recording: &r}}
	}
	d := New(nil)
	pushes := []engine.Request{d.Request(c, incoming()), d.Request(c, gatheredEvent("1")), d.Request(c, unansweredEvent(engine.CauseBusy))}
	for _, e := range []engine.Event{
		answeredEvent(alices), endedEvent(engine.CauseNormal), {Kind: engine.EventRinging, Data: engine.Data{Party: &alices}},
		stored(engine.RecordingCall), stored(engine.RecordingMessage),
	} {
		pushes = append(pushes, d.Notify(c, e)...)
	}
	if len(pushes) != 9 {
		t.Errorf("%d pushes", len(pushes))
	}
	for _, push := range pushes {
		if !strings.Contains(text, "\n### "+push.Name) && !strings.Contains(text, "\n| `"+push.Name+"` |") {
			t.Errorf("it says nothing of %s", push.Name)
		}
		fields, err := url.ParseQuery(string(push.Body))
		if err != nil {
			t.Fatal(err)
		}
		for field := range fields {
			if !strings.Contains(text, "`"+field+"`") {
				t.Errorf("it does not name the field %s of %s", field, push.Name)
			}
		}
	}
	_, problems := parse("<Response x=''><x/><Dial x=''><x/><Number x=''>49</Number></Dial><Dial><Voicemail x=''/></Dial>"+
		"<Play x=''><x/></Play><Say x=''>x</Say><Gather onData='http://h/' x=''><x/></Gather></Response>", "application/xml", "in")
	names := regexp.MustCompile(`write (.*) or nothing`)
	seen := 0
	for _, p := range problems {
		for _, list := range names.FindAllStringSubmatch(p.Sentence, -1) {
			for name := range strings.SplitSeq(list[1], ", ") {
				seen++
				if !regexp.MustCompile("`" + regexp.QuoteMeta(name) + "|" + strings.TrimSuffix(name, ">") + "[ >/]").MatchString(text) {
					t.Errorf("it does not name %s: %s", name, p.Sentence)
				}
			}
		}
	}
	if seen < 25 {
		t.Errorf("only %d elements and attributes were looked for", seen)
	}
}
