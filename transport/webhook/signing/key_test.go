// SPDX-License-Identifier: MIT

package signing_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/callwright/callwright/transport/webhook/signing"
)

func newKey(t testing.TB) *signing.Key {
	t.Helper()
	k, err := signing.Make()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// verify does what apps do with the public half.
func verify(t *testing.T, public []byte, signature, body string) error {
	t.Helper()
	block, _ := pem.Decode(public)
	if block == nil || block.Type != "PUBLIC KEY" {
		t.Fatalf("the public key is %s", public)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(body))
	return rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), crypto.SHA256, sum[:], raw)
}

// What a key signed is told by its public half, also after it was kept, and by no
// other; a body with one letter changed is not what was signed.
func TestSign(t *testing.T) {
	t.Parallel()
	k, body := newKey(t), "event=newCall&user%5B%5D=Alice"
	kept, err := signing.Parse(k.PEM())
	if err != nil {
		t.Fatal(err)
	}
	for _, signer := range []*signing.Key{k, kept} {
		signature, err := signer.Sign([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(t, k.Public(), signature, body); err != nil {
			t.Error(err)
		}
		if verify(t, k.Public(), signature, body+"x") == nil || verify(t, newKey(t).Public(), signature, body) == nil {
			t.Error("the signature is one of anything")
		}
	}
	if bytes.Contains(k.Public(), []byte("PRIVATE")) || !bytes.Equal(kept.Public(), k.Public()) {
		t.Errorf("the public half is %s", k.Public())
	}
}

func TestKeysThatAreNone(t *testing.T) {
	t.Parallel()
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind string, key any) string {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	for _, test := range []struct{ text, says string }{
		{"", "it is no PEM file"},
		{"secret", "it is no PEM file"},
		{string(newKey(t).Public()), "it holds a PUBLIC KEY: it must hold a PRIVATE KEY"},
		{text("PRIVATE KEY", curve), "it must hold an RSA key"},
		{text("PRIVATE KEY", small), "its key has 1024 bits: it needs 2048 at least"},
		{"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "read the key"},
	} {
		if _, err := signing.Parse([]byte(test.text)); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%.60q: error %v, want %s", test.text, err, test.says)
		}
	}
}

func FuzzParse(f *testing.F) {
	k := newKey(f)
	f.Add(k.PEM())
	f.Add(k.Public())
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if key, err := signing.Parse(text); err == nil {
			if _, err := key.Sign(text); err != nil {
				t.Error(err)
			}
		}
	})
}

// BenchmarkSign is what every push costs on top.
func BenchmarkSign(b *testing.B) {
	k, body := newKey(b), []byte(strings.Repeat("x", 400))
	for b.Loop() {
		if _, err := k.Sign(body); err != nil {
			b.Fatal(err)
		}
	}
}
