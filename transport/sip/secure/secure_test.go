// SPDX-License-Identifier: MIT

package secure

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/transport/sip/secure/securetest"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// What cannot be read or used is said with the setting and what to change.
func TestFilesRefused(t *testing.T) {
	t.Parallel()
	a := securetest.New(t)
	cert, key := a.Issue("one.test")
	_, other := a.Issue("two.test")
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, says string
		files      Files
	}{
		{"no certificate", "set sip.tls.cert and sip.tls.key", Files{}},
		{"no key", "sip.tls.cert is set without sip.tls.key", Files{Cert: cert}},
		{"key only", "sip.tls.key is set without sip.tls.cert", Files{Key: key}},
		{"no such certificate", "sip.tls.cert: open /nowhere.pem: no such file or directory: write the name of a file that is there", Files{Cert: "/nowhere.pem", Key: key}},
		{"no such key", "sip.tls.key: open /nowhere.pem", Files{Cert: cert, Key: "/nowhere.pem"}},
		{"key of another", "cannot be used together", Files{Cert: cert, Key: other}},
		{"no such signer", "sip.tls.client_ca: open /nowhere.pem", Files{Cert: cert, Key: key, ClientCA: "/nowhere.pem"}},
		{"no signer in it", "has no certificate", Files{Cert: cert, Key: key, ClientCA: empty}},
	} {
		if _, err := NewServer(tc.files, discard()); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: error %v, want one with %q", tc.name, err, tc.says)
		}
	}
	if _, err := NewClients(discard()).Config(Client{Cert: cert}, "h"); err == nil || !strings.Contains(err.Error(), "tls.cert of the trunk is set without tls.key") {
		t.Errorf("error %v", err)
	}
}

// again has files looked at though a second is not over.
func again(w *watched) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looked = time.Time{}
}

func shown(t *testing.T, c *tls.Config) string {
	t.Helper()
	cert, err := x509.ParseCertificate(c.Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return cert.DNSNames[0]
}

// A certificate that was renewed is shown, one that is broken is not.
func TestFilesChange(t *testing.T) {
	t.Parallel()
	a := securetest.New(t)
	cert, key := a.Issue("old.test")
	var log bytes.Buffer
	s, err := NewServer(Files{Cert: cert, Key: key}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	before := s.Config()
	again(s.files)
	if s.Config() != before || shown(t, before) != "old.test" {
		t.Error("files were read again though nothing has changed")
	}
	a.IssueTo(cert, key, time.Now().Add(time.Hour), "renewed.test", "longer.test")
	again(s.files)
	if got := shown(t, s.Config()); got != "renewed.test" {
		t.Errorf("%s is shown", got)
	}
	if err := os.WriteFile(key, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 { // is told once
		again(s.files)
		if got := shown(t, s.Config()); got != "renewed.test" {
			t.Errorf("%s is shown", got)
		}
	}
	if n := strings.Count(log.String(), "the old ones stay in use"); n != 1 {
		t.Errorf("told %d times:\n%s", n, &log)
	}
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	again(s.files)
	if got := shown(t, s.Config()); got != "renewed.test" || strings.Count(log.String(), "the old ones stay in use") != 2 {
		t.Errorf("%s is shown, log:\n%s", got, &log)
	}
}

// handshake connects a client and a server, and gives what went wrong at either.
func handshake(t *testing.T, server, client *tls.Config) (names []string, atServer, atClient error) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	type result struct {
		names []string
		err   error
	}
	done := make(chan result, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			done <- result{nil, err}
			return
		}
		defer conn.Close()
		s := tls.Server(conn, server)
		err = s.Handshake()
		_, _ = s.Write([]byte("welcome"))
		done <- result{Names(s.ConnectionState()), err}
	}()
	conn, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := tls.Client(conn, client)
	if atClient = c.Handshake(); atClient == nil {
		_, atClient = c.Read(make([]byte, 100)) // a server of TLS 1.3 refuses afterwards
	}
	_ = conn.Close()
	r := <-done
	return r.names, r.err, atClient
}

// A client is known by the certificate that it shows; it need show none, but one
// that nobody has signed is refused. TLS before 1.2 is not spoken.
func TestClients(t *testing.T) {
	t.Parallel()
	ours, theirs, strange := securetest.New(t), securetest.New(t), securetest.New(t)
	var f Files
	f.Cert, f.Key = ours.Issue("server.test", "192.0.2.1")
	f.ClientCA = theirs.CA
	server, err := NewServer(f, discard())
	if err != nil {
		t.Fatal(err)
	}
	known, unknown := Client{CA: ours.CA}, Client{CA: ours.CA}
	known.Cert, known.Key = theirs.Issue("carrier.test", "192.0.2.7")
	unknown.Cert, unknown.Key = strange.Issue("carrier.test")
	named := known
	named.ServerName = "server.test"
	clients := NewClients(discard())
	for _, tc := range []struct {
		name   string
		client Client
		host   string
		want   []string
		says   string
	}{
		{"known", known, "server.test", []string{"carrier.test", "192.0.2.7"}, ""},
		{"by address", known, "192.0.2.1", []string{"carrier.test", "192.0.2.7"}, ""},
		{"none", Client{CA: ours.CA}, "server.test", nil, ""},
		{"of a stranger", unknown, "server.test", nil, "it refused our handshake: if it wants a certificate, set tls.cert and tls.key of the trunk"},
		{"wrong name", known, "other.test", nil, "its certificate is for server.test, 192.0.2.1, not for other.test: set tls.server_name of the trunk"},
		{"name that was set", named, "other.test", []string{"carrier.test", "192.0.2.7"}, ""},
		{"signer unknown to us", Client{CA: strange.CA}, "server.test", nil, "signed by nobody who is trusted here: set tls.ca of the trunk"},
		{"system's signers", Client{}, "server.test", nil, "signed by nobody who is trusted here: set tls.ca of the trunk"},
	} {
		config, err := clients.Config(tc.client, tc.host)
		if err != nil {
			t.Fatal(err)
		}
		names, _, atClient := handshake(t, server.Config(), config)
		switch {
		case tc.says == "" && (atClient != nil || !slices.Equal(names, tc.want)):
			t.Errorf("%s: %v, known as %v", tc.name, atClient, names)
		case tc.says != "" && (atClient == nil || !strings.Contains(Explain(atClient, config).Error(), tc.says)):
			t.Errorf("%s: error %v, want one with %q", tc.name, Explain(atClient, config), tc.says)
		}
	}
	old, _ := clients.Config(known, "server.test")
	old = old.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if _, _, err := handshake(t, server.Config(), old); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
}

// A certificate that is too old is said to be.
func TestExpired(t *testing.T) {
	t.Parallel()
	a := securetest.New(t)
	dir := t.TempDir()
	f := Files{Cert: filepath.Join(dir, "c"), Key: filepath.Join(dir, "k")}
	a.IssueTo(f.Cert, f.Key, time.Now().Add(-time.Hour), "server.test")
	server, err := NewServer(f, discard())
	if err != nil {
		t.Fatal(err)
	}
	config, err := NewClients(discard()).Config(Client{CA: a.CA}, "server.test")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = handshake(t, server.Config(), config)
	if err == nil || !strings.Contains(Explain(err, config).Error(), "the other side must renew it") {
		t.Errorf("error %v", Explain(err, config))
	}
}
