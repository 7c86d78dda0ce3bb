// SPDX-License-Identifier: MIT

package verbs

import (
	"context"
	"strings"

	"github.com/callwright/callwright/engine"
)

// Greet lets callers of a box hear its user's greeting: a sound file, else a text
// of the user's, else a sentence of ours. What cannot be heard is a problem on the
// timeline.
type Greet struct {
	Box string
}

// String names the verb and the box.
func (g Greet) String() string { return "Greet callers of " + g.Box }

// Run plays the greeting to its end.
func (g Greet) Run(ctx context.Context, c *engine.Call) (engine.Next, error) {
	return engine.Continue(), hear(ctx, c, g)
}

// start begins to play the greeting.
func (g Greet) start(ctx context.Context, c *engine.Call) (token uint64, err error) {
	user, _ := c.User(g.Box) // of a number's box there is none, and no greeting
	if user.Greeting != "" {
		if token, err := greetingFile(user).start(ctx, c); err != nil || token != 0 {
			return token, err
		}
	}
	language := c.Language(user)
	if user.GreetingText != "" {
		return Say{Text: user.GreetingText, Language: language}.start(ctx, c)
	}
	base, _, _ := strings.Cut(strings.ToLower(language), "-")
	text, ok := sentence(base)
	if !ok {
		text, language = english, "en-US"
	}
	return Say{Text: text, Language: language}.start(ctx, c)
}

// greetingFile is the file of a user's greeting.
func greetingFile(u engine.User) Prompt {
	if u.GreetingIsFile() {
		return localFile{Play{URL: u.Greeting}}
	}
	return Play{URL: u.Greeting}
}

const english = "Nobody can take your call right now. Please leave a message after the tone."

// sentence gives what is said in a language to callers of who has no greeting.
func sentence(language string) (text string, ok bool) {
	text, ok = map[string]string{
		"cs": "Na váš hovor teď nemůže nikdo odpovědět. Zanechte prosím zprávu po zaznění tónu.",
		"da": "Ingen kan tage telefonen lige nu. Læg venligst en besked efter tonen.",
		"de": "Ihr Anruf kann gerade nicht angenommen werden. Bitte hinterlassen Sie nach dem Ton eine Nachricht.",
		"en": english,
		"es": "Nadie puede atender su llamada ahora. Deje un mensaje después de la señal.",
		"fi": "Puheluusi ei voida vastata juuri nyt. Jätä viesti äänimerkin jälkeen.",
		"fr": "Personne ne peut prendre votre appel pour le moment. Laissez un message après le bip sonore.",
		"it": "Nessuno può rispondere adesso. Lasciate un messaggio dopo il segnale acustico.",
		"nb": "Ingen kan ta telefonen akkurat nå. Legg igjen en beskjed etter tonen.",
		"nl": "Niemand kan uw oproep nu beantwoorden. Laat na de toon een bericht achter.",
		"no": "Ingen kan ta telefonen akkurat nå. Legg igjen en beskjed etter tonen.",
		"pl": "Nikt nie może teraz odebrać. Proszę zostawić wiadomość po sygnale.",
		"pt": "Ninguém pode atender a sua chamada agora. Deixe uma mensagem após o sinal.",
		"sv": "Ingen kan ta emot ditt samtal just nu. Lämna ett meddelande efter tonen.",
		"tr": "Şu anda çağrınıza cevap verilemiyor. Lütfen sinyalden sonra mesajınızı bırakın.",
	}[language]
	return text, ok
}

var _ Prompt = Greet{}
