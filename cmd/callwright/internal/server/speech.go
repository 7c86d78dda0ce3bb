// SPDX-License-Identifier: MIT

package server

import (
	"log/slog"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/transport/speech"
)

// makeSpeaker makes what speaks text. A program or server that is not there is
// missed only when it is to speak.
func (s *Server) makeSpeaker(c config.Config, log *slog.Logger) (*speech.Speaker, error) {
	made := speech.Config{Provider: speech.Espeak{}, Language: c.Speech.Language, Logger: log}
	if c.Speech.Provider == config.SpeechHTTP {
		server, err := speech.NewServer(c.Speech.Server())
		if err != nil {
			return nil, err
		}
		s.started(quietly(server.Close))
		made.Provider = server
	}
	speaker := speech.New(made)
	s.started(quietly(speaker.Close))
	return speaker, nil
}
