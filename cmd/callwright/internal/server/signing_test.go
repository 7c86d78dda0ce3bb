// SPDX-License-Identifier: MIT

package server_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/server"
)

// Apps can tell what this server sent by the key that it shows to everybody, and
// that is the same after the next start.
func TestPushesAreSigned(t *testing.T) {
	t.Parallel()
	type push struct{ body, signature string }
	pushes := make(chan push, 10)
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		pushes <- push{string(body), r.Header.Get("X-Sipgate-Signature")}
	}))
	t.Cleanup(app.Close)
	folder := t.TempDir()
	signs := func(c *config.Config) { c.Webhooks.Sign, c.DataDir = true, folder }
	s := start(t, app.URL, signs)
	ring(t, s, caller(t))
	got := <-pushes
	status, public := ask(t, s, "", "GET", "/webhook-key.pem", "")
	block, _ := pem.Decode([]byte(public))
	if status != 200 || block == nil || block.Type != "PUBLIC KEY" {
		t.Fatalf("the key is %d %s", status, public)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(got.signature)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(got.body))
	if err := rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), crypto.SHA256, sum[:], raw); err != nil || !strings.Contains(got.body, "event=newCall") {
		t.Errorf("%q is signed %q: %v", got.body, got.signature, err)
	}
	if info, err := os.Stat(filepath.Join(folder, server.WebhookKeyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key is kept as %v: %v", info, err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, again := ask(t, start(t, app.URL, signs), "", "GET", "/webhook-key.pem", ""); again != public {
		t.Error("another key is made at the next start")
	}
}

// Without the setting nothing is signed, and no key is made or shown.
func TestPushesAreNotSigned(t *testing.T) {
	t.Parallel()
	signatures := make(chan []string, 10)
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		signatures <- r.Header.Values("X-Sipgate-Signature")
	}))
	t.Cleanup(app.Close)
	folder := t.TempDir()
	s := start(t, app.URL, func(c *config.Config) { c.DataDir = folder })
	ring(t, s, caller(t))
	if got := <-signatures; len(got) > 0 {
		t.Errorf("signed %v", got)
	}
	if status, text := ask(t, s, "", "GET", "/webhook-key.pem", ""); status != 404 {
		t.Errorf("got %d %s", status, text)
	}
	if _, err := os.Stat(filepath.Join(folder, server.WebhookKeyFile)); err == nil {
		t.Error("a key was made")
	}
}

// A file that holds no key stops the start, and says what to do.
func TestAWrongWebhookKey(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.DataDir = t.TempDir()
	c.Database = "sqlite:" + filepath.Join(c.DataDir, "callwright.db")
	c.Media = config.Media{Listen: "127.0.0.1", Ports: "0"}
	path := filepath.Join(c.DataDir, server.WebhookKeyFile)
	if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := server.Start(t.Context(), c, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), path+": it is no PEM file") || !strings.Contains(err.Error(), "take it away to have another key made") {
		t.Errorf("error %v", err)
	}
}
