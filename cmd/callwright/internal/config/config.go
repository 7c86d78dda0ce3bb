// SPDX-License-Identifier: MIT

package config

import (
	"net/netip"
	"time"

	"github.com/callwright/callwright/media/tone"
)

// Config is the whole configuration. A field tagged later is a name that is
// settled but has no effect in this version; Load warns of those that are set.
type Config struct {
	HTTP  HTTP  `koanf:"http"`
	SIP   SIP   `koanf:"sip"`
	Media Media `koanf:"media"`
	// Database is where records are kept: "sqlite:FILE" or "postgres://…".
	Database string `koanf:"database"`
	// Recordings is the folder that calls are recorded into.
	Recordings string `koanf:"recordings"`
	// DataDir is the folder for what is made at the first start, and for what
	// waits while the database is away.
	DataDir string `koanf:"data_dir"`
	// Node names this machine in records; empty takes its host name. Where
	// machines share a database, each ends after a crash the calls of its name.
	Node  string `koanf:"node"`
	Admin Admin  `koanf:"admin"`
	// EncryptionKey seals the passwords and secrets in the database. Without
	// one it is made at the first start and kept in DataDir.
	EncryptionKey string   `koanf:"encryption_key"`
	Webhooks      Webhooks `koanf:"webhooks"`
	// Drain is for how long calls may go on when the server is told to stop.
	Drain     time.Duration `koanf:"drain"`
	Objects   `koanf:",squash"`
	Limits    Limits    `koanf:"limits"`
	Speech    Speech    `koanf:"speech"`
	Voicemail Voicemail `koanf:"voicemail"`
	Later     `koanf:",squash"`
	// Sample are the objects that hold while none are configured, neither here
	// nor by the admin API. They are not kept.
	Sample Objects `koanf:"-"`
	// Warnings are sentences about what was set and has no effect.
	Warnings []string `koanf:"-"`
}

// Later are the parts of the configuration that this version does not know yet.
type Later struct {
	Gateway any `koanf:"gateway" later:"yes"`
	HMS     any `koanf:"hms" later:"yes"`
}

// HTTP is where the APIs are served.
type HTTP struct {
	// Listen is the address, "127.0.0.1:8080".
	Listen string `koanf:"listen"`
	// PublicURL is how others reach it. Webhooks to loopback addresses are
	// allowed only while its host is one.
	PublicURL string `koanf:"public_url"`
	// Proxies are the networks of reverse proxies of our own in front: what they
	// say about where a request came from is believed.
	Proxies []netip.Prefix `koanf:"proxies"`
}

// SIP is where calls come in.
type SIP struct {
	// Listen are addresses like "udp://0.0.0.0:5060" and "tcp://0.0.0.0:5060".
	Listen []string `koanf:"listen"`
	// Advertise is the address that others are told to use, if it is not the
	// one that is listened on.
	Advertise string `koanf:"advertise"`
	// TLS is what tls:// and wss:// addresses are served with.
	TLS TLS `koanf:"tls"`
	// Proxies are the networks of proxies of our own in front: what they say
	// about where a request came from is believed.
	Proxies []netip.Prefix `koanf:"proxies"`
	// SessionExpires is how often the two sides of a call make sure of each
	// other (RFC 4028); 0 leaves that to the peers.
	SessionExpires time.Duration `koanf:"session_expires"`
}

// TLS are PEM files: our certificate, its key, and those who may sign the
// certificates of peers.
type TLS struct {
	Cert     string `koanf:"cert"`
	Key      string `koanf:"key"`
	ClientCA string `koanf:"client_ca"`
}

// Media is where sound goes.
type Media struct {
	// Listen is the address of RTP sockets.
	Listen string `koanf:"listen"`
	// Ports is the range of RTP ports, "20000-29999".
	Ports string `koanf:"ports"`
	// Advertise is the address that peers are told to send to.
	Advertise string `koanf:"advertise"`
	// Timeout ends a call whose party has not been heard for so long; 0 never.
	Timeout time.Duration `koanf:"timeout"`
	// Tones is the country whose ringing tone callers hear, and of which apps
	// play tones.
	Tones string `koanf:"tones"`
}

// Admin is who may use the admin API.
type Admin struct {
	// Token is the bearer token. Without one it is made at the first start,
	// shown once and kept in DataDir.
	Token string `koanf:"token"`
}

// Webhooks is how customers' servers are asked.
type Webhooks struct {
	// AllowPrivate lets URLs lead to private networks.
	AllowPrivate bool `koanf:"allow_private"`
	// Timeout is for one exchange; 0 is the dialect's own.
	Timeout time.Duration `koanf:"timeout"`
	// Sign signs what is sent to apps, if their dialect has a way to.
	Sign bool `koanf:"sign"`
}

// Speech is how text is spoken.
type Speech struct {
	// Provider is "espeak", a program on this machine, or "http", a server that
	// speaks as OpenAI's does.
	Provider string `koanf:"provider"`
	// URL is that server, Key what it is shown, and Model and Voice what it is
	// asked for.
	URL   string `koanf:"url"`
	Key   string `koanf:"key"`
	Model string `koanf:"model"`
	Voice string `koanf:"voice"`
	// Language is taken where nobody names one: "en-US".
	Language string `koanf:"language"`
}

// Voicemail is how messages are taken.
type Voicemail struct {
	// MaxLength is the longest message, Silence how long nothing must be heard for
	// it to be over; 0 is for ever.
	MaxLength time.Duration `koanf:"max_length"`
	Silence   time.Duration `koanf:"silence"`
	// MaxMessages is how many a box may hold; 0 is any number.
	MaxMessages int `koanf:"max_messages"`
}

// Limits guard the purse and the machine. Calls to emergency numbers pass all of
// them.
type Limits struct {
	// Calls is how many calls may be alive at once; 0 is no limit.
	Calls int `koanf:"calls"`
	// CallsPerSecond is how many may begin in one second; 0 is no limit.
	CallsPerSecond int `koanf:"calls_per_second"`
	// MinutesPerDay is how long calls by trunks may last together in one day; 0
	// is no limit.
	MinutesPerDay int `koanf:"minutes_per_day"`
	// MaxDuration is the longest that a call may last; 0 is no limit.
	MaxDuration time.Duration `koanf:"max_duration"`
	// Prefixes are what a number must begin with to be called by a trunk; none
	// allows every number.
	Prefixes []string `koanf:"prefixes"`
	// OwnCallerIDs lets apps show only numbers of their account as caller id.
	OwnCallerIDs bool `koanf:"own_caller_ids"`
	// Emergency are the numbers of emergency services, which are never pushed
	// to an app.
	Emergency []string `koanf:"emergency"`
}

// Default is what holds when nothing is configured.
func Default() Config {
	return Config{
		HTTP:     HTTP{Listen: "127.0.0.1:8080", PublicURL: "http://127.0.0.1:8080"},
		SIP:      SIP{Listen: []string{"udp://0.0.0.0:5060", "tcp://0.0.0.0:5060"}, SessionExpires: 30 * time.Minute},
		Media:    Media{Listen: "0.0.0.0", Ports: "20000-29999", Tones: tone.DefaultCountry, Timeout: 30 * time.Second},
		Database: "sqlite:callwright.db", Recordings: "recordings", DataDir: ".", Drain: 30 * time.Second,
		Limits:    Limits{MaxDuration: 4 * time.Hour, Emergency: []string{"110", "112", "911"}},
		Webhooks:  Webhooks{Sign: true},
		Speech:    Speech{Provider: "espeak", Language: "en-US"},
		Voicemail: Voicemail{MaxLength: 3 * time.Minute, Silence: 5 * time.Second, MaxMessages: 100},
	}
}
