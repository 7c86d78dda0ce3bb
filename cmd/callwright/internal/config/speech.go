// SPDX-License-Identifier: MIT

package config

import (
	"fmt"

	"github.com/callwright/callwright/transport/speech"
)

// The providers of speech.
const (
	SpeechEspeak = "espeak"
	SpeechHTTP   = "http"
)

// check finds settings that the provider does not look at, or cannot use.
// Whether it is there is found out when something is to be spoken.
func (s *Speech) check() error {
	switch s.Provider {
	case SpeechEspeak:
		for _, other := range []struct{ key, value string }{{"url", s.URL}, {"key", s.Key}, {"model", s.Model}, {"voice", s.Voice}} {
			if other.value != "" {
				return fmt.Errorf("speech.%s is set, and speech.provider is espeak: set speech.provider to http, or leave out speech.%[1]s", other.key)
			}
		}
		if err := (speech.Espeak{}).Speaks(s.Language); err != nil {
			return fmt.Errorf("speech.language: %w", err)
		}
		return nil
	case SpeechHTTP:
		_, err := speech.NewServer(s.Server())
		return err
	}
	return fmt.Errorf("speech.provider is %q: write espeak or http", s.Provider)
}

// Server is what is configured of a server that speaks.
func (s *Speech) Server() speech.ServerConfig {
	return speech.ServerConfig{URL: s.URL, Key: s.Key, Model: s.Model, Voice: s.Voice}
}
