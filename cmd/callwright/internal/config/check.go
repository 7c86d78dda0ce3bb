// SPDX-License-Identifier: MIT

package config

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/dialects"
	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/media/rtp"
	"github.com/callwright/callwright/media/tone"
)

// databases are the schemes of the database setting.
var databases = []string{"sqlite", "postgres", "postgresql"}

// transports are the schemes of sip.listen.
var transports = []string{"udp", "tcp", "tls", "ws", "wss"}

// minSessionExpires is the shortest time in which sessions are refreshed.
const minSessionExpires = 90 * time.Second

// minKey is how many characters an encryption key has at least.
const minKey = 16

// Dialects are the languages that an App may speak in this version.
func Dialects() []string { return slices.Sorted(maps.Keys(dialects.All())) }

// check finds what no type can: values that mean nothing.
func (c *Config) check() error {
	for _, part := range []func() error{c.HTTP.check, c.SIP.check, c.Media.check, c.checkKept, c.checkTimes, c.Speech.check, c.Voicemail.check, c.Limits.check} {
		if err := part(); err != nil {
			return err
		}
	}
	for _, t := range c.Trunks {
		if t.TLS.ClientName != "" && c.SIP.TLS.ClientCA == "" {
			return fmt.Errorf("trunk %q has a tls.client_name, and nobody is asked for a certificate: set sip.tls.client_ca to the PEM file of who signs it", t.Name)
		}
	}
	if err := c.Entries().Check(Dialects()); err != nil {
		return err
	}
	_, err := directory.New(c.Entries(), c.Limits.Emergency...)
	return err
}

func (h *HTTP) check() error {
	_, port, err := net.SplitHostPort(h.Listen)
	if _, number := strconv.ParseUint(port, 10, 16); err != nil || number != nil {
		return fmt.Errorf("http.listen is %q: write an address and a port, like 127.0.0.1:8080", h.Listen)
	}
	if u, err := url.Parse(h.PublicURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("http.public_url is %q: write a whole URL, like https://calls.example.com", h.PublicURL)
	}
	return checkProxies("http.proxies", h.Proxies)
}

func (s *SIP) check() error {
	if len(s.Listen) == 0 {
		return fmt.Errorf("sip.listen is empty: name at least one address, like udp://0.0.0.0:5060")
	}
	for _, l := range s.Listen {
		if err := checkListener(l); err != nil {
			return err
		}
	}
	if strings.ContainsAny(s.Advertise, "/@ ") || strings.Count(s.Advertise, ":") == 1 {
		return fmt.Errorf("sip.advertise is %q: write only the host name or IP address that peers can reach, like sip.example.com", s.Advertise)
	}
	if err := checkProxies("sip.proxies", s.Proxies); err != nil {
		return err
	}
	return s.checkTLS()
}

func checkProxies(key string, networks []netip.Prefix) error {
	if slices.ContainsFunc(networks, func(p netip.Prefix) bool { return !p.IsValid() }) {
		return fmt.Errorf("%s has an empty network: write one like 192.0.2.0/24", key)
	}
	return nil
}

func (m *Media) check() error {
	if _, err := netip.ParseAddr(m.Listen); err != nil {
		return fmt.Errorf("media.listen is %q: write an IP address, like 0.0.0.0", m.Listen)
	}
	if _, err := netip.ParseAddr(m.Advertise); m.Advertise != "" && err != nil {
		return fmt.Errorf("media.advertise is %q: write the IP address that peers can send to", m.Advertise)
	}
	if _, err := rtp.NewPorts(m.Ports); err != nil {
		return fmt.Errorf("media.ports: %w", err)
	}
	if known := tone.Countries(); m.Tones != "" && !slices.Contains(known, m.Tones) {
		return fmt.Errorf("media.tones is %q: write the code of a country whose tones are known: %s", m.Tones, strings.Join(known, ", "))
	}
	return nil
}

// checkKept checks where things are kept, and what seals them.
func (c *Config) checkKept() error {
	if scheme, rest, _ := strings.Cut(c.Database, ":"); !slices.Contains(databases, scheme) || rest == "" {
		return fmt.Errorf("database is %q: write sqlite:FILE, or postgres://USER:PASSWORD@HOST/NAME", withoutPassword(c.Database))
	}
	if n := len(c.EncryptionKey); n > 0 && n < minKey {
		return fmt.Errorf("encryption_key has %d characters: write at least %d, like the 64 that openssl rand -hex 32 prints", n, minKey)
	}
	return nil
}

func (c *Config) checkTimes() error {
	for key, d := range map[string]time.Duration{
		"limits.max_duration": c.Limits.MaxDuration, "webhooks.timeout": c.Webhooks.Timeout, "drain": c.Drain,
		"media.timeout": c.Media.Timeout, "sip.session_expires": c.SIP.SessionExpires,
	} {
		// A number without a unit counts nanoseconds.
		if d < 0 || d > 0 && d < time.Millisecond {
			return fmt.Errorf("%s is too short: write a time with its unit, like 10s or 4h, or 0s", key)
		}
	}
	if d := c.SIP.SessionExpires; d > 0 && d < minSessionExpires {
		return fmt.Errorf("sip.session_expires is %s: write at least %s (RFC 4028 section 4), or 0s", d, minSessionExpires)
	}
	return nil
}

// check finds limits of messages that mean nothing: without an end, one caller
// could fill the disk.
func (v *Voicemail) check() error {
	if v.MaxLength < time.Second {
		return fmt.Errorf("voicemail.max_length is %s: write 1s or more, like 3m", v.MaxLength)
	}
	if v.Silence != 0 && v.Silence < time.Second {
		return fmt.Errorf("voicemail.silence is %s: write 1s or more, or 0s for messages that silence does not end", v.Silence)
	}
	if v.MaxMessages < 0 {
		return fmt.Errorf("voicemail.max_messages is %d: write how many messages a box may hold, or 0 for any number", v.MaxMessages)
	}
	return nil
}

// withoutPassword is a URL that may be shown in a log. A password can also stand
// in its query, or anywhere in what is no URL.
func withoutPassword(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || u.Scheme == "" {
		scheme, rest, found := strings.Cut(raw, ":")
		if !found || rest == "" {
			return raw
		}
		return scheme + ":…"
	}
	u.RawQuery = ""
	return u.Redacted()
}

// check finds limits that mean nothing.
func (l *Limits) check() error {
	for key, n := range map[string]int{"calls": l.Calls, "calls_per_second": l.CallsPerSecond, "minutes_per_day": l.MinutesPerDay} {
		if n < 0 {
			return fmt.Errorf("limits.%s is %d: write how many are allowed, or 0 for no limit", key, n)
		}
	}
	for _, p := range l.Prefixes {
		if p != "+" && !directory.IsNumber(p) {
			return fmt.Errorf("limits.prefixes has %q: write the first digits of numbers that may be called, like \"+49\" or \"0\" (in quotes)", p)
		}
	}
	for _, n := range l.Emergency {
		if !directory.IsNumber(n) {
			return fmt.Errorf("limits.emergency has %q: write numbers like \"112\" (in quotes)", n)
		}
	}
	return nil
}

func checkListener(l string) error {
	scheme, address, _ := strings.Cut(l, "://")
	if !slices.Contains(transports, scheme) {
		return fmt.Errorf("sip.listen has %q: write an address that begins with udp://, tcp://, tls://, ws:// or wss://", l)
	}
	if _, err := netip.ParseAddrPort(address); err != nil {
		return fmt.Errorf("sip.listen has %q: write an IP address and a port, like %s://0.0.0.0:5060", l, scheme)
	}
	return nil
}

// checkTLS sees that what is secured has a certificate. The files are read when
// the listeners are opened.
func (s *SIP) checkTLS() error {
	if (s.TLS.Cert == "") != (s.TLS.Key == "") {
		return fmt.Errorf("sip.tls has only one of cert and key: name the PEM files of both")
	}
	for _, l := range s.Listen {
		if scheme, _, _ := strings.Cut(l, "://"); s.TLS.Cert == "" && (scheme == "tls" || scheme == "wss") {
			return fmt.Errorf("sip.listen has %q, which needs a certificate: set sip.tls.cert and sip.tls.key to its PEM files", l)
		}
	}
	if s.TLS.ClientCA != "" && s.TLS.Cert == "" {
		return fmt.Errorf("sip.tls.client_ca is set without sip.tls.cert: certificates of peers are looked at by tls:// and wss:// listeners only")
	}
	return nil
}
