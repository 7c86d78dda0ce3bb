// SPDX-License-Identifier: MIT

package engine

import (
	"cmp"
	"net/url"
	"strings"
	"time"
)

// longestGreeting is how many characters a greeting that is spoken may have; it
// takes a minute or two.
const longestGreeting = 1000

// rule is where a call goes that reaches nobody, by the name of the setting.
type rule struct{ field, to string }

func (n Number) rules() []rule {
	return []rule{{"on_busy", n.OnBusy}, {"on_offline", n.OnOffline}, {"on_no_answer", n.OnNoAnswer}}
}

// checkRules sees that what a number is to do when it reaches nobody can be done.
func (n Number) checkRules() *EntryError {
	name := n.EntryID()
	for _, r := range n.rules() {
		switch {
		case r.to == "" || r.to == RuleVoicemail:
		case !IsNumber(r.to):
			return name.wrong(r.field, "has the %s %q: write voicemail, or a number like \"+4921112345\"", r.field, r.to)
		case NormalizeNumber(r.to) == n.ID():
			return name.wrong(r.field, "has itself as its %s: write voicemail or another number", r.field)
		}
	}
	if n.VoicemailAfter != "" && n.OnNoAnswer != "" && n.OnNoAnswer != RuleVoicemail {
		return name.wrong("on_no_answer", "has voicemail_after and the on_no_answer %q, and a call that nobody picks up cannot go to both: leave one out, or write ring_time for how long it rings before on_no_answer", n.OnNoAnswer)
	}
	return cmp.Or(name.lasts("voicemail_after", n.VoicemailAfter), name.lasts("ring_time", n.RingTime))
}

// lasts sees that a time is one in which a phone can ring.
func (id EntryID) lasts(field, text string) *EntryError {
	d, err := time.ParseDuration(text)
	switch {
	case text == "":
		return nil
	case err != nil:
		return id.wrong(field, "has the %s %q: write a time with its unit, like 20s", field, text)
	case d < time.Second:
		return id.wrong(field, "has the %s %v: write 1s or more, or leave it out", field, d)
	}
	return nil
}

// checkVoice sees what callers of a user's voicemail hear, and whom it can be
// written to.
func (u User) checkVoice() *EntryError {
	name := u.EntryID()
	before, domain, _ := strings.Cut(u.Email, "@")
	switch {
	case u.Email != "" && (before == "" || domain == "" || strings.ContainsAny(u.Email, " <>,;\"") || strings.ContainsFunc(u.Email, isControl)):
		return name.wrong("email", "has the email %q: write one address, like alice@example.com", u.Email)
	case u.Language != "" && !isLanguage(u.Language):
		return name.wrong("language", "has the language %q: write a tag like de-DE, or en", u.Language)
	case len(u.Greeting) > MaxURL:
		return name.wrong("greeting", "has a greeting of %d characters: write at most %d", len(u.Greeting), MaxURL)
	case strings.ContainsFunc(u.Greeting, isControl) || !u.GreetingIsFile() && !isWeb(u.Greeting):
		return name.wrong("greeting", "has the greeting %q: write the URL of a sound file, like https://example.com/hello.wav, or its path on the server", u.Greeting)
	case len([]rune(u.GreetingText)) > longestGreeting:
		return name.wrong("greeting_text", "has a greeting_text of more than %d characters: callers hear all of it, so write less", longestGreeting)
	}
	return nil
}

// GreetingIsFile says whether the Greeting is read from this machine, and not by
// HTTP. Also none is.
func (u User) GreetingIsFile() bool {
	scheme, _, found := strings.Cut(u.Greeting, ":")
	return !found || strings.ContainsAny(scheme, "/.")
}

// isWeb says whether s is a whole URL that can be fetched.
func isWeb(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// isLanguage says whether s can be a tag of a language: two or three letters, and
// what makes it more exact (RFC 5646 section 2.1).
func isLanguage(s string) bool {
	parts := strings.Split(s, "-")
	if n := len(parts[0]); n < 2 || n > 3 || strings.ContainsFunc(parts[0], isDigit) {
		return false
	}
	for _, part := range parts {
		if part == "" || len(part) > 8 || strings.ContainsFunc(part, func(r rune) bool { return !isLetter(r) && !isDigit(r) }) {
			return false
		}
	}
	return true
}

// isParty says whether an account has what a whitelist names: a user, a group, or
// by its phone line (p0) the user w0.
func (d *index) isParty(account, id string) bool {
	line, ok := strings.CutPrefix(id, "p")
	_, user := d.users[key{account, id}]
	_, group := d.groups[key{account, id}]
	_, ofLine := d.users[key{account, "w" + line}]
	return user || group || ok && ofLine
}

// whitelists sees that an App is asked about users and groups that are there.
func (d *index) whitelists(a App) *EntryError {
	for _, id := range a.Whitelist {
		if !d.isParty(cmp.Or(a.Account, DefaultAccount), id) {
			return a.EntryID().wrong("whitelist", "names %q in its whitelist, which is no user or group of the account: write ids like w0, g1, or p0 for the user w0", id)
		}
	}
	return nil
}

// urgentRules sees that no call is sent on to an emergency service: who called did
// not dial it.
func (d *index) urgentRules(emergency string) error {
	check := func(n Number) error {
		for _, r := range n.rules() {
			if strings.TrimPrefix(NormalizeNumber(r.to), "+") == emergency {
				return n.EntryID().wrong(r.field, "has the %s %q, an emergency number (limits.emergency), which nobody is sent on to: write another", r.field, r.to)
			}
		}
		return nil
	}
	for _, n := range d.exact {
		if err := check(n); err != nil {
			return err
		}
	}
	for _, patterns := range d.patterns {
		for _, n := range patterns {
			if err := check(n); err != nil {
				return err
			}
		}
	}
	return nil
}
