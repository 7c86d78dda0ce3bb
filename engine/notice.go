// SPDX-License-Identifier: MIT

package engine

import (
	"context"
	"strings"

	"github.com/callwright/callwright/media"
)

// notice gives what parties of an account's call hear before they are recorded: a
// sentence in a language, or tones where none can be spoken.
func (e *Engine) notice(ctx context.Context, account, language string) *media.Prompt {
	if e.config.Speaker == nil {
		return e.config.Notice
	}
	text, language := noticeIn(language)
	spoken, err := e.config.Speaker.Speak(ctx, account, Speech{Text: text, Language: language})
	if err != nil {
		e.config.Logger.Warn("tones announce a recording, because the sentence could not be spoken", "language", language, "err", err)
		return e.config.Notice
	}
	return spoken
}

// noticeIn gives the sentence in a language, or in English.
func noticeIn(language string) (text, spoken string) {
	base, _, _ := strings.Cut(strings.ToLower(language), "-")
	text, ok := map[string]string{
		"cs": "Tento hovor je nahráván.",
		"da": "Denne samtale bliver optaget.",
		"de": "Dieses Gespräch wird aufgezeichnet.",
		"en": "This call is being recorded.",
		"es": "Esta llamada está siendo grabada.",
		"fi": "Tämä puhelu nauhoitetaan.",
		"fr": "Cet appel est enregistré.",
		"it": "Questa chiamata viene registrata.",
		"nb": "Denne samtalen blir tatt opp.",
		"nl": "Dit gesprek wordt opgenomen.",
		"no": "Denne samtalen blir tatt opp.",
		"pl": "Ta rozmowa jest nagrywana.",
		"pt": "Esta chamada está a ser gravada.",
		"sv": "Det här samtalet spelas in.",
		"tr": "Bu görüşme kaydediliyor.",
	}[base]
	if !ok {
		return "This call is being recorded.", "en-US"
	}
	return text, language
}
