// SPDX-License-Identifier: MIT

package phrases

import "strings"

// Phrases are the sentences in one language.
type Phrases struct {
	// Recorded tells parties of a call that it is being recorded from now on.
	Recorded string
	// Message asks the callers of somebody without a greeting to leave a message.
	Message string
}

// In gives the sentences in a language, a tag of BCP 47 ("de-AT"), and the tag that
// they are to be spoken with: that one, or "en-US" where only English is known.
func In(language string) (p Phrases, spoken string) {
	base, _, _ := strings.Cut(strings.ToLower(language), "-")
	all := known()
	if p, ok := all[base]; ok {
		return p, language
	}
	return all["en"], "en-US"
}

// known has a row for each language, by the first part of its tag.
func known() map[string]Phrases {
	norwegian := Phrases{
		Recorded: "Denne samtalen blir tatt opp.",
		Message:  "Ingen kan ta telefonen akkurat nå. Legg igjen en beskjed etter tonen.",
	}
	return map[string]Phrases{
		"cs": {
			Recorded: "Tento hovor je nahráván.",
			Message:  "Na váš hovor teď nemůže nikdo odpovědět. Zanechte prosím zprávu po zaznění tónu.",
		},
		"da": {
			Recorded: "Denne samtale bliver optaget.",
			Message:  "Ingen kan tage telefonen lige nu. Læg venligst en besked efter tonen.",
		},
		"de": {
			Recorded: "Dieses Gespräch wird aufgezeichnet.",
			Message:  "Ihr Anruf kann gerade nicht angenommen werden. Bitte hinterlassen Sie nach dem Ton eine Nachricht.",
		},
		"en": {
			Recorded: "This call is being recorded.",
			Message:  "Nobody can take your call right now. Please leave a message after the tone.",
		},
		"es": {
			Recorded: "Esta llamada está siendo grabada.",
			Message:  "Nadie puede atender su llamada ahora. Deje un mensaje después de la señal.",
		},
		"fi": {
			Recorded: "Tämä puhelu nauhoitetaan.",
			Message:  "Puheluusi ei voida vastata juuri nyt. Jätä viesti äänimerkin jälkeen.",
		},
		"fr": {
			Recorded: "Cet appel est enregistré.",
			Message:  "Personne ne peut prendre votre appel pour le moment. Laissez un message après le bip sonore.",
		},
		"it": {
			Recorded: "Questa chiamata viene registrata.",
			Message:  "Nessuno può rispondere adesso. Lasciate un messaggio dopo il segnale acustico.",
		},
		"nb": norwegian,
		"nl": {
			Recorded: "Dit gesprek wordt opgenomen.",
			Message:  "Niemand kan uw oproep nu beantwoorden. Laat na de toon een bericht achter.",
		},
		"no": norwegian,
		"pl": {
			Recorded: "Ta rozmowa jest nagrywana.",
			Message:  "Nikt nie może teraz odebrać. Proszę zostawić wiadomość po sygnale.",
		},
		"pt": {
			Recorded: "Esta chamada está a ser gravada.",
			Message:  "Ninguém pode atender a sua chamada agora. Deixe uma mensagem após o sinal.",
		},
		"sv": {
			Recorded: "Det här samtalet spelas in.",
			Message:  "Ingen kan ta emot ditt samtal just nu. Lämna ett meddelande efter tonen.",
		},
		"tr": {
			Recorded: "Bu görüşme kaydediliyor.",
			Message:  "Şu anda çağrınıza cevap verilemiyor. Lütfen sinyalden sonra mesajınızı bırakın.",
		},
	}
}
