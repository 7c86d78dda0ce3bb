// SPDX-License-Identifier: MIT

package server

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/store/settings"
	"github.com/callwright/callwright/transport/webhook/signing"
)

// The files in data_dir that keep what was made at the first start.
const (
	// TokenFile keeps the admin token.
	TokenFile = "admin-token"
	keyFile   = "encryption-key"
	// WebhookKeyFile keeps the key that signs what is sent to apps.
	WebhookKeyFile = "webhook-key.pem"
)

// adminToken gives the token of the admin API: the configured one, else the one
// that was made at the first start and is kept in data_dir.
func adminToken(c config.Config, log *slog.Logger) (string, error) {
	if c.Admin.Token != "" {
		return c.Admin.Token, nil
	}
	path := filepath.Join(c.DataDir, TokenFile)
	token, made, err := kept(path, 16)
	if err != nil {
		return "", fmt.Errorf("keep the admin token: %w: data_dir must be a folder that can be written to", err)
	}
	if made {
		log.Warn("made an admin token; it is shown only now", "token", token, "kept in", path)
	}
	return token, nil
}

// encryptionKey gives the key that seals secrets, and where it comes from: the
// configured one, else the one that was made at the first start and is kept in
// data_dir.
func encryptionKey(c config.Config, log *slog.Logger) (key *settings.Key, from string, err error) {
	text, from := c.EncryptionKey, "the setting encryption_key"
	if text == "" {
		made := false
		from = filepath.Join(c.DataDir, keyFile)
		if text, made, err = kept(from, 32); err != nil {
			return nil, "", fmt.Errorf("keep the encryption key: %w: data_dir must be a folder that can be written to", err)
		}
		if made {
			log.Info("made a key that seals passwords and secrets in the database; keep a copy where the backups of the database are not", "kept in", from)
		}
	}
	key, err = settings.NewKey(text)
	return key, from, err
}

// webhookKey gives the key that signs what is sent to apps, which was made at the
// first start and is kept in data_dir; nil when nothing is signed.
func webhookKey(c config.Config, log *slog.Logger) (*signing.Key, error) {
	if !c.Webhooks.Sign {
		return nil, nil
	}
	path := filepath.Join(c.DataDir, WebhookKeyFile)
	text, err := os.ReadFile(path)
	switch {
	case err == nil:
		key, err := signing.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("read the key that signs webhooks from %s: %w; put the right file there, or take it away to have another key made", path, err)
		}
		return key, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read the key that signs webhooks: %w", err)
	}
	key, err := signing.Make()
	if err != nil {
		return nil, err
	}
	if err := keep(path, string(key.PEM())); err != nil {
		return nil, fmt.Errorf("keep the key that signs webhooks: %w: data_dir must be a folder that can be written to", err)
	}
	log.Info("made a key that signs what is sent to apps; copy it to the other machines, if there are any, so that all sign alike",
		"kept in", path, "public half at", "/webhook-key.pem")
	return key, nil
}

// kept reads a secret from a file, or makes one of so many random bytes and
// keeps it there.
func kept(path string, bytes int) (secret string, made bool, err error) {
	text, err := os.ReadFile(path)
	if secret := strings.TrimSpace(string(text)); err == nil && secret != "" {
		return secret, false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", false, err
	}
	random := make([]byte, bytes)
	rand.Read(random) // never fails: it ends the program instead
	secret = hex.EncodeToString(random)
	return secret, true, keep(path, secret+"\n")
}

// keep writes a file whole or not at all, and for good: what a key has sealed is
// lost with it.
func keep(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*") // for its owner only
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
