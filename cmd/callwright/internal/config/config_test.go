// SPDX-License-Identifier: MIT

package config_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

func write(t *testing.T, yaml string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "callwright.yaml")
	if err := os.WriteFile(path, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaultsAreValid(t *testing.T) {
	t.Parallel()
	c, err := config.Load("", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Default(), c); diff != "" {
		t.Errorf("without anything (-default +loaded):\n%s", diff)
	}
}

func TestFlagsOverEnvironmentOverFile(t *testing.T) {
	t.Parallel()
	path := write(t, `
http: {listen: "127.0.0.1:1"}
database: "sqlite:file.db"
webhooks: {timeout: 7s}
media: {ports: "4000-4999"}
`)
	c, err := config.Load(path,
		[]string{"PATH=/bin", "CALLWRIGHT_HTTP_LISTEN=127.0.0.1:2", "CALLWRIGHT_DATABASE=sqlite:env.db",
			"CALLWRIGHT_SIP_LISTEN=udp://127.0.0.1:5070,tcp://127.0.0.1:5070", "CALLWRIGHT_WEBHOOKS_ALLOW_PRIVATE=true"},
		map[string]any{"http.listen": "127.0.0.1:3"})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.HTTP.Listen = "127.0.0.1:3"
	want.Database = "sqlite:env.db"
	want.Webhooks = config.Webhooks{AllowPrivate: true, Timeout: 7 * time.Second, Sign: true}
	want.Media.Ports = "4000-4999"
	want.SIP.Listen = []string{"udp://127.0.0.1:5070", "tcp://127.0.0.1:5070"}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestObjects(t *testing.T) {
	t.Parallel()
	c, err := config.Load(write(t, `
accounts: [{id: acme, name: Acme}]
apps:    [{key: shop, dialect: sipgate, incoming_url: "https://shop.example/calls", outgoing_url: "https://shop.example/out", early_media: false, secret: s, delivery: vendor}]
users:
- {id: w0, name: Alice, contact: "sip:alice@192.0.2.7", username: alice, password: 0x, app: shop, caller_id: "+4921112345", dtmf: info}
- {id: w0, account: acme}
groups:  [{id: g0, name: Sales, users: [w0]}]
numbers: [{number: +4921112345, app: shop, users: [w0], groups: [g0]}, {number: "+49211*"}, {number: 0211123}]
trunks:  [{name: carrier, address: "192.0.2.1:5060;transport=tcp", username: u, password: 007, allow_from: ["192.0.2.0/24"], app: shop, dtmf: inband}]
limits:  {max_duration: 1h, calls: 5, calls_per_second: 2, prefixes: ["0049", 0211], emergency: [112]}
recordings: somewhere
gateway: {lenient: true}
`), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	entries := directory.Entries{
		Accounts: []directory.Account{{ID: "acme", Name: "Acme"}},
		Apps: []directory.App{{
			Key: "shop", Account: "default", Secret: "s", Dialect: "sipgate",
			IncomingURL: "https://shop.example/calls", OutgoingURL: "https://shop.example/out",
		}},
		Users: []directory.User{
			{
				ID: "w0", Account: "default", Name: "Alice", Username: "alice", Password: "0x", App: "shop",
				CallerID: "+4921112345", Contact: "sip:alice@192.0.2.7", DTMF: "info",
			},
			{ID: "w0", Account: "acme"},
		},
		Groups: []directory.Group{{ID: "g0", Account: "default", Name: "Sales", Users: []string{"w0"}}},
		Numbers: []directory.Number{
			{Number: "+4921112345", Account: "default", App: "shop", Users: []string{"w0"}, Groups: []string{"g0"}},
			{Number: "+49211*", Account: "default"},
			{Number: "0211123", Account: "default"},
		},
		Trunks: []directory.Trunk{{
			Name: "carrier", Account: "default", Address: "192.0.2.1:5060;transport=tcp", Username: "u", Password: "007",
			AllowFrom: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, App: "shop", DTMF: "inband",
		}},
	}
	if diff := cmp.Diff(entries, c.Entries(), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	limits := engine.Limits{Calls: 5, CallsPerSecond: 2, MaxDuration: time.Hour, Prefixes: []string{"0049", "0211"}}
	if diff := cmp.Diff(limits, c.Limits.Engine()); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
	if c.Recordings != "somewhere" {
		t.Errorf("recordings are kept in %q", c.Recordings)
	}
	want := []string{"apps[0].delivery has no effect in this version", "gateway has no effect in this version"}
	if diff := cmp.Diff(want, c.Warnings); diff != "" {
		t.Errorf("names without effect (-want +got):\n%s", diff)
	}
}

// What belongs to voicemail, rules and tokens reaches the engine as it is written.
func TestObjectsOfVoicemail(t *testing.T) {
	t.Parallel()
	c, err := config.Load(write(t, `
apps:    [{key: shop, dialect: sipgate, events_url: "https://shop.example/events", whitelist: [w0, g0, p0], unlogged: true, empty_dtmf: true}]
users:   [{id: w0, email: a@b.example, language: de-DE, greeting: hello.wav, greeting_text: "Hallo, bitte sprechen", busy_on_busy: true}]
groups:  [{id: g0, users: [w0]}]
numbers: [{number: "+4921112345", users: [w0], voicemail_after: 20s, on_busy: voicemail, on_offline: 0211123, ring_time: 1m30s}, {number: "100", on_no_answer: voicemail}]
tokens:  [{id: token-4x7Q2b, name: Script, user: w0, token: 0b5b3c4e-9a3b-4c55-8f3e-1d2c3b4a5968, scopes: ["rtcm:read"]}]
`), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := directory.Entries{
		Apps: []directory.App{{
			Key: "shop", Account: "default", Dialect: "sipgate", EarlyMedia: true, EmptyDTMF: true,
			EventsURL: "https://shop.example/events", Whitelist: []string{"w0", "g0", "p0"}, Unlogged: true,
		}},
		Users: []directory.User{{
			ID: "w0", Account: "default", Email: "a@b.example", Language: "de-DE",
			Greeting: "hello.wav", GreetingText: "Hallo, bitte sprechen", BusyOnBusy: true,
		}},
		Groups: []directory.Group{{ID: "g0", Account: "default", Users: []string{"w0"}}},
		Numbers: []directory.Number{
			{
				Number: "+4921112345", Account: "default", Users: []string{"w0"},
				VoicemailAfter: "20s", OnBusy: "voicemail", OnOffline: "0211123", RingTime: "1m30s",
			},
			{Number: "100", Account: "default", OnNoAnswer: "voicemail"},
		},
		Tokens: []directory.Token{{
			ID: "token-4x7Q2b", Account: "default", Name: "Script", User: "w0",
			Secret: "0b5b3c4e-9a3b-4c55-8f3e-1d2c3b4a5968", Scopes: []string{"rtcm:read"},
		}},
	}
	if diff := cmp.Diff(want, c.Entries()); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if len(c.Warnings) > 0 {
		t.Errorf("warnings: %q", c.Warnings)
	}
}

// Speech, voicemail and the signature are set by the file, the environment and
// flags, the last of these first.
func TestSpeechAndVoicemail(t *testing.T) {
	t.Parallel()
	c, err := config.Load(write(t, `
speech: {provider: http, url: "http://127.0.0.1:9", key: k, model: m, voice: v, language: de-DE}
voicemail: {max_length: 1m, silence: 3s}
limits: {own_caller_ids: true}
`), []string{"CALLWRIGHT_SPEECH_VOICE=alloy", "CALLWRIGHT_VOICEMAIL_SILENCE=4s", "CALLWRIGHT_WEBHOOKS_SIGN=false", "CALLWRIGHT_SPEECH_MODEL=x"},
		map[string]any{"speech.model": "tts-1", "voicemail.max_length": "2m"})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Speech = config.Speech{Provider: "http", URL: "http://127.0.0.1:9", Key: "k", Model: "tts-1", Voice: "alloy", Language: "de-DE"}
	want.Voicemail = config.Voicemail{MaxLength: 2 * time.Minute, Silence: 4 * time.Second, MaxMessages: 100}
	want.Webhooks.Sign, want.Limits.OwnCallerIDs = false, true
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What a phone or a trunk may be reached at.
func TestPeers(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"carrier.example", "192.0.2.1", "192.0.2.1:5060", "carrier.example:5060;transport=tcp", "carrier.example;transport=UDP;lr", "[2001:db8::1]", "[2001:db8::1]:5060",
	} {
		yaml := fmt.Sprintf("trunks: [{name: t, address: %q}]\nusers: [{id: w0, contact: %q}]", address, "sip:alice@"+address)
		if _, err := config.Load(write(t, yaml), nil, nil); err != nil {
			t.Error(err)
		}
	}
}

func TestComplaints(t *testing.T) {
	t.Parallel()
	for yaml, want := range map[string]string{
		`htpp: {listen: x}`: `unknown key "htpp": did you mean "http"?`,
		`http: {lisen: x}`:  `unknown key "http.lisen": did you mean "listen"?`,
		`apps: [{key: a, dialect: sipgate, income: x}]`: `unknown key "apps[0].income": the known ones are`,
		`apps: {key: a}`:                                    `apps is a list`,
		`http: nine`:                                        `http holds several settings`,
		`http: {listen: [a, b]}`:                            `http.listen holds one value, not several settings`,
		`- a`:                                               `these are no settings: write a name, a colon`,
		`webhooks: {allow_private: maybe}`:                  `webhooks.allow_private is "maybe": write true or false`,
		`http: {listen: "127.0.0.1:99999"}`:                 `http.listen is "127.0.0.1:99999"`,
		`http: {listen: nine}`:                              `http.listen is "nine"`,
		`http: {proxies: [null]}`:                           "http.proxies has an empty network: write one like 192.0.2.0/24",
		`http: {public_url: "example.com"}`:                 `http.public_url is "example.com": write a whole URL`,
		`sip: {listen: []}`:                                 `sip.listen is empty`,
		`sip: {listen: ["sctp://0.0.0.0:5061"]}`:            `begins with udp://, tcp://, tls://, ws:// or wss://`,
		`sip: {listen: ["tls://0.0.0.0:5061"]}`:             `set sip.tls.cert and sip.tls.key`,
		`sip: {listen: ["wss://0.0.0.0:443"]}`:              `set sip.tls.cert and sip.tls.key`,
		`sip: {tls: {cert: c.pem}}`:                         `name the PEM files of both`,
		`sip: {tls: {client_ca: ca.pem}}`:                   `client_ca is set without sip.tls.cert`,
		`sip: {listen: ["udp://localhost"]}`:                `write an IP address and a port, like udp://0.0.0.0:5060`,
		`media: {ports: "9-1"}`:                             `media.ports: port range "9-1": write two ports`,
		`media: {listen: "localhost"}`:                      `media.listen is "localhost"`,
		`media: {advertise: "here"}`:                        `media.advertise is "here"`,
		`media: {tones: xx}`:                                `media.tones is "xx": write the code of a country whose tones are known: at, au, ch, de,`,
		`database: "mysql://me:s3cret@x"`:                   `database is "mysql://me:xxxxx@x": write sqlite:FILE, or postgres://`,
		`database: "mysql://x/y?user=me&password=s3cret"`:   `database is "mysql://x/y": write sqlite:FILE, or postgres://`,
		`database: "postgre:me:s3cret@x/y"`:                 `database is "postgre:…": write sqlite:FILE, or postgres://`,
		`database: "sqlite:"`:                               `database is "sqlite:": write sqlite:FILE`,
		`encryption_key: short`:                             `encryption_key has 5 characters: write at least 16`,
		`voicemail: {max_length: 0s}`:                       `voicemail.max_length is 0s: write 1s or more`,
		`voicemail: {max_length: 60}`:                       `voicemail.max_length is "60": write a time with its unit`,
		`voicemail: {silence: 10ms}`:                        `voicemail.silence is 10ms: write 1s or more, or 0s`,
		`voicemail: {max_messages: -1}`:                     `voicemail.max_messages is -1: write how many messages a box may hold`,
		`voicemail: {silense: 1s}`:                          `unknown key "voicemail.silense": did you mean "silence"?`,
		`numbers: [{number: "100", voicemail_after: 20}]`:   `numbers[0].voicemail_after is "20": write a time with its unit`,
		`numbers: [{number: "100", voicemail_after: 20ms}]`: `number "100" has the voicemail_after 20ms: write 1s or more`,
		`numbers: [{number: "100", on_busy: w0}]`:           `number "100" has the on_busy "w0": write voicemail, or a number`,
		`numbers: [{number: "100", on_busy: 112}]`:          `number "100" has the on_busy "112", an emergency number`,
		`users: [{id: w0, greeting: "ftp://h/a.wav"}]`:      `user "w0" has the greeting "ftp://h/a.wav"`,
		`tokens: [{id: token-4x7Q2b, user: w0}]`:            `token "token-4x7Q2b" has no secret: write a UUID of version 4`,
		`tokens: [{id: token-4x7Q2b, user: w0, token: 0b5b3c4e-9a3b-4c55-8f3e-1d2c3b4a5968}]`: `token "token-4x7Q2b" names user "w0", which is not configured`,
		`apps: [{key: a, dialect: sipgate, whitelist: [w0]}]`:                                 `app "a" names "w0" in its whitelist`,
		`apps: [{key: a, dialect: sipgate, events_url: shop}]`:                                `app "a" has the events_url "shop": write a whole URL`,
		`speech: {provider: google}`:                                                          `speech.provider is "google": write espeak or http`,
		`speech: {provider: http}`:                                                            `speech.url must be the URL of a server`,
		`speech: {provider: http, url: "http://u:p@h"}`:                                       `speech.url must be the URL of a server, without password`,
		`speech: {url: "http://h"}`:                                                           `speech.url is set, and speech.provider is espeak: set speech.provider to http`,
		`speech: {voice: alloy}`:                                                              `speech.voice is set, and speech.provider is espeak`,
		`speech: {language: xx}`:                                                              `speech.language: the language "xx" is not spoken here: write one of`,
		`limits: {calls: -1}`:                                                                 `limits.calls is -1: write how many`,
		`limits: {prefixes: [abc]}`:                                                           `limits.prefixes has "abc": write the first digits`,
		`limits: {emergency: ["112", "call"]}`:                                                `limits.emergency has "call": write numbers like`,
		`users: [{id: w0, dtmf: rtp}]`:                                                        `user "w0" has the dtmf "rtp": write auto, info or inband`,
		`users: [{id: w0, account: acme}]`:                                                    `user "w0" names account "acme", which is not configured`,
		`webhooks: {timeout: fast}`:                                                           `timeout`,
		`apps: [{dialect: sipgate}]`:                                                          `apps[0] has no key`,
		`apps: [{key: a, dialect: rcml}]`:                                                     `app "a" has the dialect "rcml": this version speaks sipgate`,
		`apps: [{key: a, dialect: sipgate, incoming_url: "shop"}]`:                            `app "a" has the incoming_url "shop": write a whole URL`,
		`numbers: [{number: "abc"}]`:                                                          `number "abc" is no number: write one`,
		`numbers: [{number: "100", app: b}]`:                                                  `number "100" names app "b", which is not configured`,
		`numbers: [{number: "100"}, {number: "100"}]`:                                         `number "100" is configured twice`,
		`groups: [{id: g, users: [w9]}]`:                                                      `group "g" names user "w9", which is not configured`,
		`users: [{name: x}]`:                                                                  `users[0] has no id`,
		`trunks: [{name: t}]`:                                                                 `trunk "t" has neither an address`,
		`trunks: [{address: "h:1"}]`:                                                          `trunks[0] has no name`,
		`trunks: [{name: t, allow_from: ["here"]}]`:                                           `here`,
		`trunks: [{name: t, allow_from: ["192.0.2.7"]}]`:                                      `"192.0.2.7" is no network: write one like 192.0.2.0/24`,
		`trunks: [{name: t, address: "sip:carrier.example"}]`:                                 `trunk "t" has the address "sip:carrier.example": write a host`,
		`trunks: [{name: t, address: "h:5061;transport=sctp"}]`:                               `(udp, tcp, tls, ws or wss)`,
		`trunks: [{name: t, address: "h:0"}]`:                                                 `trunk "t" has the address "h:0"`,
		`users: [{id: w0, contact: "192.0.2.7"}]`:                                             `user "w0" has the contact "192.0.2.7": write the SIP URI of a phone`,
		`users: [{id: w0, contact: "sip:192.0.2.7"}]`:                                         `user "w0" has the contact`,
		`users: [{id: w0, contact: "tel:a@192.0.2.7"}]`:                                       `user "w0" has the contact`,
		`numbers: [{app: a}]`:                                                                 `numbers[0] has no number`,
		`accounts: [{name: x}]`:                                                               `accounts[0] has no id`,
		`users: [{id: w0, username: alice}]`:                                                  `user "w0" has a username and no password`,
		`users: [{id: w0, password: alice}]`:                                                  `user "w0" has a password and no username`,
		`users: [{id: w0, username: "a b", password: x}]`:                                     `user "w0" has the username "a b": write it without spaces`,
		`users: [{id: w0, caller_id: me}]`:                                                    `user "w0" has the caller_id "me": write a number`,
		`trunks: [{name: t, address: h, from: "a@b"}]`:                                        `trunk "t" shows the number "a@b"`,
		`trunks: [{name: t, address: h}, {name: t, address: g}]`:                              `trunk "t" is configured twice`,
		`apps: [{key: a, dialect: sipgate, outgoing_url: "shop"}]`:                            `app "a" has the outgoing_url "shop"`,
		`groups: [{users: []}]`:                                                               `groups[0] has no id`,
		`sip: {advertise: "http://sip.example.com"}`:                                          `sip.advertise is "http://sip.example.com": write only the host`,
		`sip: {advertise: "sip.example.com:5060"}`:                                            `write only the host`,
		`limits: {max_duration: 4}`:                                                           `limits.max_duration is "4": write a time with its unit`,
		`limits: {max_duration: -1h}`:                                                         `limits.max_duration is too short`,
		`webhooks: {timeout: 10}`:                                                             `webhooks.timeout is "10": write a time with its unit`,
		"apps: [{key: a, dialect: sipgate, headers: {\"X Y\": z}}]":                           `app "a" has the header "X Y"`,
		`limits: {minutes_per_day: -1}`:                                                       `limits.minutes_per_day is -1: write how many`,
		`drain: -1s`:                                                                          `drain is too short`,
		`media: {timeout: 30}`:                                                                `media.timeout is "30": write a time with its unit`,
		`sip: {session_expires: 30s}`:                                                         `sip.session_expires is 30s: write at least 1m30s`,
		`sip: {proxies: ["10.0.0.1"]}`:                                                        `"10.0.0.1" is no network: write one like 192.0.2.0/24`,
		`sip: {proxies: ["kamailio"]}`:                                                        `kamailio`,
		"a: [":                                                                                `read configuration`,
	} {
		_, err := config.Load(write(t, yaml), nil, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", yaml, err, want)
		}
	}
	if _, err := config.Load("/nowhere/callwright.yaml", nil, nil); err == nil || !strings.Contains(err.Error(), "--config") {
		t.Errorf("a file that is not there: %v", err)
	}
}

// A variable or a flag does not hide what is wrong in the file below it.
func TestOverridesHideNothing(t *testing.T) {
	t.Parallel()
	_, err := config.Load(write(t, `sip: off`), []string{"CALLWRIGHT_SIP_LISTEN=udp://127.0.0.1:5070"},
		map[string]any{"sip.advertise": "example.com"})
	if want := "sip holds several settings, not one value"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want %q", err, want)
	}
}

func TestUnknownVariables(t *testing.T) {
	t.Parallel()
	c, err := config.Load("", []string{"CALLWRIGHT_HTTP_LISTN=x", "CALLWRIGHT_PORT_5060_UDP=udp://10.0.0.1:5060"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`environment variable CALLWRIGHT_HTTP_LISTN names no setting: did you mean "CALLWRIGHT_HTTP_LISTEN"?`,
		`environment variable CALLWRIGHT_PORT_5060_UDP names no setting`,
	}
	if diff := cmp.Diff(want, c.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}
