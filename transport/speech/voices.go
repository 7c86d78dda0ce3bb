// SPDX-License-Identifier: MIT

package speech

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/callwright/callwright/internal/nearest"
)

// voices are what espeak-ng calls the voices of the locales that vendors list.
// The first of a language is that of all its other countries.
var voices = []struct{ locale, voice string }{
	{"da-DK", "da"},
	{"de-DE", "de"},
	{"en-US", "en-us"},
	{"en-AU", "en-gb"},
	{"en-CA", "en-us"},
	{"en-GB", "en-gb"},
	{"en-IN", "en-gb"},
	{"en-NZ", "en-gb"},
	{"es-ES", "es"},
	{"es-MX", "es-419"},
	{"es-CA", "ca"}, // Sinch means Catalonia
	{"fi-FI", "fi"},
	{"fr-FR", "fr-fr"},
	{"fr-BE", "fr-be"},
	{"fr-CA", "fr-fr"},
	{"fr-CH", "fr-ch"},
	{"it-IT", "it"},
	{"ja-JP", "ja"},
	{"ko-KR", "ko"},
	{"nb-NO", "nb"},
	{"nl-NL", "nl"},
	{"pl-PL", "pl"},
	{"pt-PT", "pt"},
	{"pt-BR", "pt-br"},
	{"ru-RU", "ru"},
	{"sv-SE", "sv"},
	{"zh-CN", "cmn"},
	{"zh-HK", "yue"},
	{"zh-TW", "cmn"},
	// Those that no vendor lists.
	{"ar-SA", "ar"},
	{"bg-BG", "bg"},
	{"ca-ES", "ca"},
	{"cs-CZ", "cs"},
	{"cy-GB", "cy"},
	{"el-GR", "el"},
	{"et-EE", "et"},
	{"fa-IR", "fa"},
	{"ga-IE", "ga"},
	{"he-IL", "he"},
	{"hi-IN", "hi"},
	{"hr-HR", "hr"},
	{"hu-HU", "hu"},
	{"is-IS", "is"},
	{"lt-LT", "lt"},
	{"lv-LV", "lv"},
	{"ro-RO", "ro"},
	{"sk-SK", "sk"},
	{"sl-SI", "sl"},
	{"sr-RS", "sr"},
	{"tr-TR", "tr"},
	{"uk-UA", "uk"},
	{"vi-VN", "vi"},
}

// otherNames are languages that are also called otherwise, by a vendor's slip of
// the pen or by their own right.
var otherNames = map[string]string{"zn": "zh", "no": "nb", "nn": "nb", "cmn": "zh", "iw": "he"}

// genders are the voices that other vendors have for every language, and the
// variants of espeak-ng that come near them.
var genders = map[string]string{"man": "", "male": "", "woman": "+f2", "female": "+f2"}

// voiceName is what a voice of espeak-ng can be called. It names a file, so
// nothing else is passed on.
var voiceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,40}(\+[A-Za-z0-9_-]{1,20})?$`)

// voiceOf finds the voice of espeak-ng for a language and what the customer says
// about the voice: nothing, the voice itself ("de+f2"), a variant ("+f2") or man
// or woman.
func voiceOf(language, voice string) (string, error) {
	variant, ok := genders[strings.ToLower(voice)]
	switch {
	case ok:
	case strings.HasPrefix(voice, "+") && voiceName.MatchString("x"+voice):
		variant = voice
	case voice != "" && voiceName.MatchString(voice):
		return voice, nil
	case voice != "":
		return "", fmt.Errorf("%.40q cannot be a voice of espeak-ng: leave it out, or write man, woman, or a voice like de+f2", voice)
	}
	name, err := voiceOfLanguage(language)
	if err != nil {
		return "", err
	}
	return name + variant, nil
}

// voiceOfLanguage finds the voice of a locale or, without one, that of the same
// language in another country.
func voiceOfLanguage(tag string) (string, error) {
	language, country, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(tag, "_", "-")), "-")
	if other, ok := otherNames[language]; ok {
		language = other
	}
	same := ""
	for _, v := range voices {
		l, c, _ := strings.Cut(strings.ToLower(v.locale), "-")
		switch {
		case l == language && c == country:
			return v.voice, nil
		case l == language && same == "":
			same = v.voice
		}
	}
	if same == "" {
		return "", unknownLanguage(tag)
	}
	return same, nil
}

func unknownLanguage(tag string) error {
	known := make([]string, len(voices))
	for i, v := range voices {
		known[i] = v.locale
	}
	slices.Sort(known)
	meant := ""
	if name := nearest.Of(tag, known); name != "" {
		meant = "did you mean " + name + "? "
	}
	return fmt.Errorf("the language %.40q is not spoken here: %swrite one of %s", tag, meant, strings.Join(known, ", "))
}
