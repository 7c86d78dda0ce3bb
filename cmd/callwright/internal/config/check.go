// SPDX-License-Identifier: MIT

package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/media/rtp"
)

// dialects are the languages that an App may speak in this version.
var dialects = []string{"sipgate"}

// check finds what no type can: values that mean nothing.
func (c *Config) check() error {
	_, port, err := net.SplitHostPort(c.HTTP.Listen)
	if _, number := strconv.ParseUint(port, 10, 16); err != nil || number != nil {
		return fmt.Errorf("http.listen is %q: write an address and a port, like 127.0.0.1:8080", c.HTTP.Listen)
	}
	if u, err := url.Parse(c.HTTP.PublicURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("http.public_url is %q: write a whole URL, like https://calls.example.com", c.HTTP.PublicURL)
	}
	if len(c.SIP.Listen) == 0 {
		return fmt.Errorf("sip.listen is empty: name at least one address, like udp://0.0.0.0:5060")
	}
	for _, l := range c.SIP.Listen {
		if err := checkListener(l); err != nil {
			return err
		}
	}
	if strings.ContainsAny(c.SIP.Advertise, "/@ ") || strings.Count(c.SIP.Advertise, ":") == 1 {
		return fmt.Errorf("sip.advertise is %q: write only the host name or IP address that peers can reach, like sip.example.com", c.SIP.Advertise)
	}
	if _, err := netip.ParseAddr(c.Media.Listen); err != nil {
		return fmt.Errorf("media.listen is %q: write an IP address, like 0.0.0.0", c.Media.Listen)
	}
	if _, err := netip.ParseAddr(c.Media.Advertise); c.Media.Advertise != "" && err != nil {
		return fmt.Errorf("media.advertise is %q: write the IP address that peers can send to", c.Media.Advertise)
	}
	if _, err := rtp.NewPorts(c.Media.Ports); err != nil {
		return fmt.Errorf("media.ports: %w", err)
	}
	if !strings.HasPrefix(c.Database, "sqlite:") || c.Database == "sqlite:" {
		return fmt.Errorf("database is %q: this version keeps its records in SQLite: write sqlite:FILE", c.Database)
	}
	for key, d := range map[string]time.Duration{"limits.max_duration": c.Limits.MaxDuration, "webhooks.timeout": c.Webhooks.Timeout} {
		// A number without a unit counts nanoseconds.
		if d < 0 || d > 0 && d < time.Millisecond {
			return fmt.Errorf("%s is too short: write a time with its unit, like 10s or 4h, or 0s", key)
		}
	}
	if err := c.checkObjects(); err != nil {
		return err
	}
	if err := c.checkPeers(); err != nil {
		return err
	}
	_, err = engine.NewDirectory(c.Entries())
	return err
}

func checkListener(l string) error {
	scheme, address, _ := strings.Cut(l, "://")
	if scheme != "udp" && scheme != "tcp" {
		return fmt.Errorf("sip.listen has %q: this version listens on udp:// and tcp://", l)
	}
	if _, err := netip.ParseAddrPort(address); err != nil {
		return fmt.Errorf("sip.listen has %q: write an IP address and a port, like %s://0.0.0.0:5060", l, scheme)
	}
	return nil
}

func (c *Config) checkObjects() error {
	for i, a := range c.Apps {
		switch {
		case a.Key == "":
			return fmt.Errorf("apps[%d] has no key: numbers name their app by it", i)
		case !slices.Contains(dialects, a.Dialect):
			return fmt.Errorf("app %q has the dialect %q: this version speaks %s", a.Key, a.Dialect, strings.Join(dialects, ", "))
		}
		for key, raw := range map[string]string{"incoming_url": a.IncomingURL, "outgoing_url": a.OutgoingURL, "fallback_url": a.FallbackURL} {
			u, err := url.Parse(raw)
			if raw != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
				return fmt.Errorf("app %q has the %s %q: write a whole URL, like https://example.com/calls", a.Key, key, raw)
			}
		}
		for name, value := range a.Headers {
			if name == "" || strings.ContainsAny(name, " \t\r\n:") || strings.ContainsAny(value, "\r\n\x00") {
				return fmt.Errorf("app %q has the header %q: write a name without spaces and colons, and a value in one line", a.Key, name)
			}
		}
	}
	for i, n := range c.Numbers {
		if plain := strings.TrimSuffix(n.Number, "*"); plain != "" && !engine.IsNumber(plain) || n.Number == "" {
			return fmt.Errorf("numbers[%d] is %q: write a number like \"+4921112345\" (in quotes), or the first digits and a star", i, n.Number)
		}
	}
	for i, g := range c.Groups {
		if g.ID == "" {
			return fmt.Errorf("groups[%d] has no id: numbers name groups by it, like g0", i)
		}
	}
	return nil
}

// checkPeers sees that it is known where calls are sent to.
func (c *Config) checkPeers() error {
	for i, t := range c.Trunks {
		switch {
		case t.Name == "":
			return fmt.Errorf("trunks[%d] has no name: logs and records call it by one", i)
		case t.Address == "" && len(t.AllowFrom) == 0:
			return fmt.Errorf("trunk %q has neither an address, so that calls can leave by it, nor allow_from, so that they can enter", t.Name)
		case t.Address != "" && !isPeer(t.Address):
			return fmt.Errorf("trunk %q has the address %q: write a host and its port, like sip.example.com:5060;transport=tcp (udp or tcp)", t.Name, t.Address)
		}
	}
	for i, u := range c.Users {
		user, address, _ := strings.Cut(strings.TrimPrefix(u.Contact, "sip:"), "@")
		switch {
		case u.ID == "":
			return fmt.Errorf("users[%d] has no id: numbers and groups name users by it, like w0", i)
		case u.Contact != "" && (!strings.HasPrefix(u.Contact, "sip:") || user == "" || strings.ContainsAny(user, " <>\"") || !isPeer(address)):
			return fmt.Errorf("user %q has the contact %q: write the SIP URI of a phone, like sip:alice@192.0.2.7:5060;transport=tcp (udp or tcp)", u.ID, u.Contact)
		}
	}
	return nil
}

// isPeer says whether an address like "host:port;transport=tcp" can be one.
func isPeer(address string) bool {
	host, parameters, _ := strings.Cut(address, ";")
	for p := range strings.SplitSeq(strings.ToLower(parameters), ";") {
		if transport, ok := strings.CutPrefix(p, "transport="); ok && transport != "udp" && transport != "tcp" {
			return false
		}
	}
	if h, port, err := net.SplitHostPort(host); err == nil {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
		host = h
	} else if inner, ok := strings.CutPrefix(host, "["); ok {
		host, _ = strings.CutSuffix(inner, "]")
	} else if strings.Contains(host, ":") {
		return false
	}
	return host != "" && !strings.ContainsAny(host, "@/<>[]\" \t\r\n") && !strings.ContainsAny(parameters, "<>\" \t\r\n")
}

// Entries gives what is configured as the engine knows it.
func (c *Config) Entries() engine.Entries {
	var e engine.Entries
	for _, a := range c.Apps {
		e.Apps = append(e.Apps, engine.App{
			Key: a.Key, Account: engine.DefaultAccount, Dialect: a.Dialect,
			IncomingURL: a.IncomingURL, OutgoingURL: a.OutgoingURL, FallbackURL: a.FallbackURL,
			// sipgate.io lets callers hear prompts before anybody answered.
			EarlyMedia: a.EarlyMedia == nil || *a.EarlyMedia,
			Headers:    a.Headers,
		})
	}
	for _, u := range c.Users {
		e.Users = append(e.Users, engine.User{ID: u.ID, Account: engine.DefaultAccount, Name: u.Name, Contact: u.Contact})
	}
	for _, g := range c.Groups {
		e.Groups = append(e.Groups, engine.Group{ID: g.ID, Account: engine.DefaultAccount, Users: g.Users})
	}
	for _, n := range c.Numbers {
		e.Numbers = append(e.Numbers, engine.Number{Number: n.Number, Account: engine.DefaultAccount, App: n.App, Users: n.Users, Groups: n.Groups})
	}
	for _, t := range c.Trunks {
		e.Trunks = append(e.Trunks, engine.Trunk{
			Name: t.Name, Account: engine.DefaultAccount, Address: t.Address,
			Username: t.Username, Password: t.Password, From: t.From, AllowFrom: t.AllowFrom, App: t.App,
		})
	}
	return e
}
