// SPDX-License-Identifier: MIT

package engine

import (
	"context"

	"github.com/callwright/callwright/engine/phrases"
	"github.com/callwright/callwright/media"
)

// notice gives what parties of an account's call hear before they are recorded: a
// sentence in a language, or tones where none can be spoken.
func (e *Engine) notice(ctx context.Context, account, language string) *media.Prompt {
	if e.config.Speaker == nil {
		return e.config.Notice
	}
	sentences, language := phrases.In(language)
	spoken, err := e.config.Speaker.Speak(ctx, account, Speech{Text: sentences.Recorded, Language: language})
	if err != nil {
		e.config.Logger.Warn("tones announce a recording, because the sentence could not be spoken", "language", language, "err", err)
		return e.config.Notice
	}
	return spoken
}
