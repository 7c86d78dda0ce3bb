// SPDX-License-Identifier: MIT

package config

import (
	"net/netip"
	"time"
)

// Config is the whole configuration. A field tagged later is a name that is
// settled but has no effect in this version; Load warns of those that are set.
type Config struct {
	HTTP     HTTP     `koanf:"http"`
	SIP      SIP      `koanf:"sip"`
	Media    Media    `koanf:"media"`
	Database string   `koanf:"database"`
	DataDir  string   `koanf:"data_dir"`
	Admin    Admin    `koanf:"admin"`
	Webhooks Webhooks `koanf:"webhooks"`
	Apps     []App    `koanf:"apps"`
	Users    []User   `koanf:"users"`
	Groups   []Group  `koanf:"groups"`
	Numbers  []Number `koanf:"numbers"`
	Trunks   []Trunk  `koanf:"trunks"`
	Limits   Limits   `koanf:"limits"`
	Later    `koanf:",squash"`
	// Warnings are sentences about what was set and has no effect.
	Warnings []string `koanf:"-"`
}

// Later are the parts of the configuration that this version does not know yet.
type Later struct {
	Recordings    any `koanf:"recordings" later:"yes"`
	EncryptionKey any `koanf:"encryption_key" later:"yes"`
	Accounts      any `koanf:"accounts" later:"yes"`
	Gateway       any `koanf:"gateway" later:"yes"`
	HMS           any `koanf:"hms" later:"yes"`
}

// HTTP is where the APIs are served.
type HTTP struct {
	// Listen is the address, "127.0.0.1:8080".
	Listen string `koanf:"listen"`
	// PublicURL is how others reach it. Webhooks to loopback addresses are
	// allowed only while its host is one.
	PublicURL string `koanf:"public_url"`
}

// SIP is where calls come in.
type SIP struct {
	// Listen are addresses like "udp://0.0.0.0:5060" and "tcp://0.0.0.0:5060".
	Listen []string `koanf:"listen"`
	// Advertise is the address that others are told to use, if it is not the
	// one that is listened on.
	Advertise string `koanf:"advertise"`
	TLS       any    `koanf:"tls" later:"yes"`
	Proxies   any    `koanf:"proxies" later:"yes"`
}

// Media is where sound goes.
type Media struct {
	// Listen is the address of RTP sockets.
	Listen string `koanf:"listen"`
	// Ports is the range of RTP ports, "20000-29999".
	Ports string `koanf:"ports"`
	// Advertise is the address that peers are told to send to.
	Advertise string `koanf:"advertise"`
}

// Admin is who may use the admin API.
type Admin struct {
	// Token is the bearer token. Without one the API is open to this machine
	// if it listens on loopback; elsewhere a token is made at the first start.
	Token string `koanf:"token"`
}

// Webhooks is how customers' servers are asked.
type Webhooks struct {
	// AllowPrivate lets URLs lead to private networks.
	AllowPrivate bool `koanf:"allow_private"`
	// Timeout is for one exchange; 0 is the dialect's own.
	Timeout time.Duration `koanf:"timeout"`
}

// App is a customer's application.
type App struct {
	Key         string            `koanf:"key"`
	Dialect     string            `koanf:"dialect"`
	IncomingURL string            `koanf:"incoming_url"`
	OutgoingURL string            `koanf:"outgoing_url" later:"yes"`
	FallbackURL string            `koanf:"fallback_url"`
	EarlyMedia  *bool             `koanf:"early_media"`
	Headers     map[string]string `koanf:"headers"`
	Secret      any               `koanf:"secret" later:"yes"`
	AccountSID  any               `koanf:"account_sid" later:"yes"`
	Delivery    any               `koanf:"delivery" later:"yes"`
	Certificate any               `koanf:"certificate" later:"yes"`
}

// User is somebody who can be rung.
type User struct {
	ID   string `koanf:"id"`
	Name string `koanf:"name"`
	// Contact is the SIP URI of a phone that does not register.
	Contact  string `koanf:"contact"`
	App      string `koanf:"app" later:"yes"`
	Username string `koanf:"username" later:"yes"`
	Password string `koanf:"password" later:"yes"`
}

// Group is users rung together.
type Group struct {
	ID    string   `koanf:"id"`
	Users []string `koanf:"users"`
}

// Number is what can be dialled.
type Number struct {
	Number              string   `koanf:"number"`
	App                 string   `koanf:"app"`
	Users               []string `koanf:"users"`
	Groups              []string `koanf:"groups"`
	VoicemailAfter      any      `koanf:"voicemail_after" later:"yes"`
	Region              any      `koanf:"region" later:"yes"`
	LookupURL           any      `koanf:"lookup_url" later:"yes"`
	LookupAuthorization any      `koanf:"lookup_authorization" later:"yes"`
	Capability          any      `koanf:"capability" later:"yes"`
}

// Trunk is how calls leave and enter.
type Trunk struct {
	Name      string         `koanf:"name"`
	Address   string         `koanf:"address"`
	Username  string         `koanf:"username"`
	Password  string         `koanf:"password"`
	From      string         `koanf:"from"`
	AllowFrom []netip.Prefix `koanf:"allow_from"`
	App       string         `koanf:"app"`
	Regions   any            `koanf:"regions" later:"yes"`
}

// Limits guard the purse.
type Limits struct {
	// MaxDuration is the longest that a call may last; 0 is no limit.
	MaxDuration    time.Duration `koanf:"max_duration"`
	Calls          any           `koanf:"calls" later:"yes"`
	CallsPerSecond any           `koanf:"calls_per_second" later:"yes"`
	Prefixes       any           `koanf:"prefixes" later:"yes"`
	Emergency      any           `koanf:"emergency" later:"yes"`
}

// Default is what holds when nothing is configured.
func Default() Config {
	return Config{
		HTTP:     HTTP{Listen: "127.0.0.1:8080", PublicURL: "http://127.0.0.1:8080"},
		SIP:      SIP{Listen: []string{"udp://0.0.0.0:5060", "tcp://0.0.0.0:5060"}},
		Media:    Media{Listen: "0.0.0.0", Ports: "20000-29999"},
		Database: "sqlite:callwright.db",
		DataDir:  ".",
		Limits:   Limits{MaxDuration: 4 * time.Hour},
	}
}
