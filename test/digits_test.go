// SPDX-License-Identifier: MIT

package test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// withMenu is a configuration with users whose telephones press keys, and a
// number whose app waits for them. Dave wants keys in the way WAY.
const withMenu = `
admin: {token: "of the tests"}
http: {listen: "NETWORK.10:8080", public_url: "http://NETWORK.10:8080"}
sip: {listen: ["udp://NETWORK.10:5060", "tcp://NETWORK.10:5060"]}
media: {listen: "NETWORK.10", ports: "20000-20499"}
database: "sqlite:DIR/callwright.db"
data_dir: "DIR"
apps:
  - {key: menu, dialect: sipgate, incoming_url: "APP/", early_media: false}
users:
  - {id: w2, name: Carol, username: carol, password: "pw-carol"}
  - {id: w3, name: Dave, username: dave, password: "pw-dave", dtmf: WAY}
numbers:
  - {number: "+4921100", app: menu}
  - {number: "+4921103", users: [w3]}
`

// wanting is withMenu, with the way that Dave wants keys in.
func wanting(way string) string { return strings.Replace(withMenu, "WAY", way, 1) }

// keysTyped are typed by telephones, one after the other.
const keysTyped = "1*55#0"

// press presses the last of some keys, and waits until the server knows of all.
func (p *telephone) press(h *house, keys string) {
	p.t.Helper()
	p.do(p.brand.key, keys[len(keys)-1:])
	eventually(p.t, func() string {
		if got := h.keys(); got != keys {
			return fmt.Sprintf("the timelines have the keys %q, want %q", got, keys)
		}
		return ""
	})
}

// keys gives those that the timelines of all calls have.
func (h *house) keys() (keys string) {
	for _, line := range h.told("digit") {
		key, _ := strings.CutPrefix(line, "digit ")
		keys += key[:1]
	}
	return keys
}

// told gives what the timelines of all calls tell of one kind.
func (h *house) told(kind string) (lines []string) {
	var list struct{ Calls []record }
	if err := h.get("/api/v1/calls?limit=100", &list); err != nil {
		return []string{err.Error()}
	}
	for _, r := range list.Calls {
		if err := h.get("/api/v1/calls/"+r.ID, &r); err != nil {
			return []string{err.Error()}
		}
		for _, e := range r.Timeline {
			if e.Kind == kind {
				lines = append(lines, e.Text)
			}
		}
	}
	return lines
}

// TestTelephonePressesKeys has a foreign telephone type into a menu.
func TestTelephonePressesKeys(t *testing.T) {
	t.Parallel()
	h := newHouseOf(t, wanting("auto"), map[string]string{
		"newCall": fmt.Sprintf(`<Gather onData="APP/" maxDigits="%d" timeout="20000"/>`, len(keysTyped)),
		"dtmf":    `<Hangup/>`,
	})
	carol := h.baresip(t, line{host: hostDesk, username: "carol", manual: true}).registered()
	carol.do(carol.brand.dial, ourNumber)
	carol.expect(carol.brand.established)
	for i := range len(keysTyped) {
		carol.press(h, keysTyped[:i+1])
	}
	carol.expect(carol.brand.closed)
	told := ""
	for _, post := range h.app.last(t) {
		told += post.Get("dtmf")
	}
	if told != keysTyped {
		t.Errorf("the app was told %q, want %q", told, keysTyped)
	}
	h.expectPorts(t, 0)
}

// TestTelephoneHearsKeys has the keys of one foreign telephone reach another, in
// the way that its user wants.
func TestTelephoneHearsKeys(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"auto", "info"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			h := newHouseOf(t, wanting(way), nil)
			carol := h.baresip(t, line{host: hostDesk, username: "carol", manual: true}).registered()
			dave := h.baresip(t, line{host: hostMobile, username: "dave"}).registered()
			carol.do(carol.brand.dial, "+4921103")
			carol.expect(carol.brand.established)
			dave.expect(dave.brand.established)
			for i := range len(keysTyped) {
				carol.press(h, keysTyped[:i+1])
				dave.expect(dave.brand.keyHeard, keysTyped[i:i+1])
			}
			carol.do(carol.brand.hangUp)
			dave.expect(dave.brand.closed)
			infos := slices.DeleteFunc(h.told("sip"), func(line string) bool { return !strings.HasPrefix(line, "-> INFO") })
			if want := map[string]int{"info": len(keysTyped)}[way]; len(infos) != want {
				t.Errorf("%d keys were sent by INFO, want %d", len(infos), want)
			}
		})
	}
}
