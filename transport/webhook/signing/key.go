// SPDX-License-Identifier: MIT

package signing

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
)

// bits is the length of a key. 2048 is held to be safe until 2030 at least (NIST SP
// 800-57 part 1, table 2), and signs six times as fast as the 4096 of sipgate.
const bits = 2048

// The types of the PEM blocks.
const (
	privateBlock = "PRIVATE KEY" // PKCS #8, RFC 5958
	publicBlock  = "PUBLIC KEY"  // SubjectPublicKeyInfo, RFC 5280 section 4.1
)

// Key signs. Any number of goroutines may use it.
type Key struct {
	private *rsa.PrivateKey
	// text and public are both halves as PEM.
	text, public []byte
}

// Make makes a new Key, which takes a moment.
func Make() (*Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, fmt.Errorf("make an RSA key: %w", err)
	}
	return newKey(private)
}

// Parse reads a Key that PEM gave, or openssl genpkey. The error says what is wrong
// with the text.
func Parse(text []byte) (*Key, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("it is no PEM file: it must begin with -----BEGIN PRIVATE KEY-----")
	}
	if block.Type != privateBlock {
		return nil, fmt.Errorf("it holds a %s: it must hold a %s, as openssl genpkey -algorithm RSA writes it", block.Type, privateBlock)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("it holds a %T: it must hold an RSA key", key)
	}
	if private.N.BitLen() < bits {
		return nil, fmt.Errorf("its key has %d bits: it needs %d at least", private.N.BitLen(), bits)
	}
	return newKey(private)
}

func newKey(private *rsa.PrivateKey) (*Key, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("write the key: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("write the public key: %w", err)
	}
	return &Key{
		private: private,
		text:    pem.EncodeToMemory(&pem.Block{Type: privateBlock, Bytes: der}),
		public:  pem.EncodeToMemory(&pem.Block{Type: publicBlock, Bytes: public}),
	}, nil
}

// PEM gives the whole Key, which is a secret.
func (k *Key) PEM() []byte { return k.text }

// Public gives the half that tells signatures, as PEM.
func (k *Key) Public() []byte { return k.public }

// Sign gives the signature of a body.
func (k *Key) Sign(body []byte) (string, error) {
	sum := sha256.Sum256(body)
	signature, err := rsa.SignPKCS1v15(rand.Reader, k.private, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return base64.StdEncoding.EncodeToString(signature), nil
}
