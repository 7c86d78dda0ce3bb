// SPDX-License-Identifier: MIT

package server

import (
	"log/slog"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/transport/speech"
)

// makeSpeaker makes what speaks text. A program that is not there is warned of, and
// a server that is not there is missed when it is to speak.
func (s *Server) makeSpeaker(c config.Config, log *slog.Logger) (*speech.Speaker, error) {
	espeak := speech.Espeak{}
	made := speech.Config{Provider: espeak, Language: c.Speech.Language, Logger: log}
	if c.Speech.Provider == config.SpeechHTTP {
		server, err := speech.NewServer(c.Speech.Server())
		if err != nil {
			return nil, err
		}
		s.started(quietly(server.Close))
		made.Provider = server
	} else if err := espeak.Installed(); err != nil {
		log.Warn("no text can be spoken, such as the greetings of voicemails", "err", err)
	}
	speaker := speech.New(made)
	s.started(quietly(speaker.Close))
	return speaker, nil
}
