// SPDX-License-Identifier: MIT

package settings

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
)

// ErrKey says that what is kept was sealed with another key.
var ErrKey = errors.New("it was sealed with another key")

// Key seals passwords and secrets, and recognises objects without telling
// what is in them.
type Key struct {
	sealer cipher.AEAD
	hash   []byte
}

// NewKey makes a Key of a text that only the operator knows: the setting
// encryption_key. It must be as hard to guess as a key; no stretching makes up
// for a password.
func NewKey(text string) (*Key, error) {
	k := &Key{}
	// Two uses, two keys (RFC 5869 section 3.2).
	seal, err := hkdf.Key(sha256.New, []byte(text), nil, "callwright seal", 32)
	if err != nil {
		return nil, fmt.Errorf("make the key that seals: %w", err)
	}
	if k.hash, err = hkdf.Key(sha256.New, []byte(text), nil, "callwright hash", 32); err != nil {
		return nil, fmt.Errorf("make the key that hashes: %w", err)
	}
	block, err := aes.NewCipher(seal)
	if err != nil {
		return nil, fmt.Errorf("make the key that seals: %w", err)
	}
	if k.sealer, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, fmt.Errorf("make the key that seals: %w", err)
	}
	return k, nil
}

// Derive gives a key for another use, of 32 bytes, that tells nothing of this one.
func (k *Key) Derive(use string) ([]byte, error) {
	derived, err := hkdf.Key(sha256.New, k.hash, nil, "callwright "+use, 32)
	if err != nil {
		return nil, fmt.Errorf("make the key of %s: %w", use, err)
	}
	return derived, nil
}

// seal encrypts a secret (AES-256-GCM) for one place; in another it cannot be
// opened. Nothing stays nothing.
func (k *Key) seal(secret, place string) string {
	if secret == "" {
		return ""
	}
	return base64.StdEncoding.EncodeToString(k.sealer.Seal(nil, nil, []byte(secret), []byte(place)))
}

// open decrypts what seal gave, or fails with ErrKey.
func (k *Key) open(sealed, place string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	text, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", fmt.Errorf("read a sealed secret: %w", err)
	}
	secret, err := k.sealer.Open(nil, nil, text, []byte(place))
	if err != nil {
		return "", ErrKey
	}
	return string(secret), nil
}

// idLength is how many characters the name of a key has.
const idLength = 16

// fingerprint recognises a text. It begins with the name of the key, and tells
// nothing of the text to whoever has not the key, however short it is.
func (k *Key) fingerprint(text []byte) string {
	return k.id() + "-" + k.mac(text)
}

// id names the key without giving it away.
func (k *Key) id() string { return k.mac([]byte("name of the key"))[:idLength] }

func (k *Key) mac(text []byte) string {
	m := hmac.New(sha256.New, k.hash)
	m.Write(text) // never fails
	return hex.EncodeToString(m.Sum(nil))
}

// made says whether a fingerprint was made with this key.
func (k *Key) made(fingerprint string) bool {
	return len(fingerprint) > idLength && fingerprint[:idLength] == k.id()
}
