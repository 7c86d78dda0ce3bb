// SPDX-License-Identifier: MIT

package directory

import (
	"cmp"
	"slices"
	"strings"
)

// User is a SIP account that can register and be rung.
type User struct {
	ID      string `json:"id"`
	Account string `json:"account"`
	Name    string `json:"name,omitempty"`
	// Username and Password are what its phones register and call with (RFC
	// 3261 section 22). A username exists once on the whole server; who has
	// none can not register.
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	// App is the key of the App that is asked about calls that it makes.
	App string `json:"app,omitempty"`
	// CallerID is the number that it shows when it calls; empty takes the first
	// number that rings it.
	CallerID string `json:"caller_id,omitempty"`
	// Contact is the SIP URI of a phone that does not register.
	Contact string `json:"contact,omitempty"`
	// DTMF is how keys are sent to its phones: DTMFAuto (also when empty),
	// DTMFInfo or DTMFInband.
	DTMF string `json:"dtmf,omitempty"`
	// SRTP says whether sound to and from its phones is encrypted: SRTPAllow
	// (also when empty), SRTPOff or SRTPRequire.
	SRTP string `json:"srtp,omitempty"`
	// Email is where the user gets mail, for those who ask.
	Email string `json:"email,omitempty"`
	// Language is what is spoken to those who reach the user's voicemail, as a tag
	// of BCP 47 ("de-DE"); empty is the server's.
	Language string `json:"language,omitempty"`
	// Greeting is what they hear: the URL of a sound file, or its path on the
	// server. Without one GreetingText is spoken, and without that a sentence of
	// ours.
	Greeting     string `json:"greeting,omitempty"`
	GreetingText string `json:"greeting_text,omitempty"`
	// BusyOnBusy has the user be busy for others while it is in a call.
	BusyOnBusy bool `json:"busy_on_busy,omitempty"`
}

// EntryID is that of Entry.
func (u User) EntryID() EntryID { return EntryID{EntryUser, u.Account, u.ID} }

// Address is the User as a party.
func (u User) Address() Address { return Address{Kind: KindUser, Value: u.ID, Name: u.Name} }

func (u User) check() *EntryError {
	name := u.EntryID()
	if e := name.named("id", "numbers and groups name users by it, like w0"); e != nil {
		return e
	}
	scheme, rest, _ := strings.Cut(u.Contact, ":")
	party, address, _ := strings.Cut(rest, "@")
	switch {
	case strings.ContainsAny(u.Username, " :@<>\"\\") || strings.ContainsFunc(u.Username, isControl):
		return name.wrong("username", "has the username %q: write it without spaces and the signs : @ < > \" \\", u.Username)
	case strings.ContainsFunc(u.Name, isControl):
		return name.wrong("name", "has a name with a line break or another control character: write it in one line")
	case u.Username != "" && u.Password == "":
		return name.wrong("password", "has a username and no password: anybody could call as this user, so write a password")
	case u.Username == "" && u.Password != "":
		return name.wrong("username", "has a password and no username: phones register with both")
	case u.CallerID != "" && !IsNumber(u.CallerID):
		return name.wrong("caller_id", "has the caller_id %q: write a number, like \"+4921112345\"", u.CallerID)
	case u.Contact != "" && (scheme != "sip" && scheme != "sips" || party == "" || strings.ContainsAny(party, " <>\"") || !isPeer(address)):
		return name.wrong("contact", "has the contact %q: write the SIP URI of a phone, like sip:alice@192.0.2.7:5060;transport=tcp (udp, tcp, tls, ws or wss)", u.Contact)
	}
	return cmp.Or(name.dtmf(u.DTMF), name.srtp(u.SRTP), u.checkVoice())
}

// longestGreeting is how many characters a greeting that is spoken may have; it
// takes a minute or two.
const longestGreeting = 1000

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
	case strings.ContainsFunc(u.Greeting, isControl) || !u.GreetingIsFile() && !IsURL(u.Greeting):
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

func (x *index) addUser(u User) *EntryError {
	u.Account = cmp.Or(u.Account, DefaultAccount)
	name := u.EntryID()
	if err := cmp.Or(x.owner(name, u.Account), x.mine(name, u.Account, u.App), name.dtmf(u.DTMF), name.srtp(u.SRTP)); err != nil {
		return err
	}
	k := key{u.Account, u.ID}
	if _, twice := x.users[k]; twice {
		return name.taken("id", "is configured twice")
	}
	if u.Username != "" {
		if other, twice := x.usernames[u.Username]; twice {
			return name.taken("username", "has the username %q, which user %q has already", u.Username, other.ID)
		}
		x.usernames[u.Username] = u
	}
	x.users[k] = u
	return nil
}

// areUsers sees that ids are those of users of an entry's account.
func (x *index) areUsers(n EntryID, account string, ids []string) *EntryError {
	for _, id := range ids {
		if _, ok := x.users[key{account, id}]; !ok {
			return n.wrong("users", "names user %q, which is not configured", id)
		}
	}
	return nil
}

// usersNamed gives the Users with these ids, each once.
func (x *index) usersNamed(account string, ids []string) []User {
	var users []User
	for i, id := range ids {
		if u, ok := x.users[key{account, id}]; ok && !slices.Contains(ids[:i], id) {
			users = append(users, u)
		}
	}
	return users
}

// User finds a User by its account and id.
func (d *Directory) User(account, id string) (User, bool) {
	u, ok := d.now.Load().users[key{account, id}]
	return u, ok
}

// UserNamed finds a User by the username that its phones register with.
func (d *Directory) UserNamed(username string) (User, bool) {
	u, ok := d.now.Load().usernames[username]
	return u, ok
}

// NearestUsername gives the configured username that shares most with one, for a
// log line; empty when none is configured.
func (d *Directory) NearestUsername(username string) string {
	best, most := "", -1
	for name := range d.now.Load().usernames {
		shared := commonEnds(strings.ToLower(name), strings.ToLower(username))
		if shared > most || shared == most && name < best {
			best, most = name, shared
		}
	}
	return best
}

// UsersOf gives the Users that a Number rings, those of its groups after its
// own, each once.
func (d *Directory) UsersOf(n Number) []User {
	now := d.now.Load()
	ids := slices.Clone(n.Users)
	for _, g := range n.Groups {
		ids = append(ids, now.groups[key{n.Account, g}].Users...)
	}
	return now.usersNamed(n.Account, ids)
}

// CallerID is the number that a User shows when it calls: its own, or the first
// E.164 number that rings it; empty if there is none.
func (d *Directory) CallerID(u User) string {
	if u.CallerID != "" {
		return NormalizeNumber(u.CallerID)
	}
	best := ""
	for _, n := range d.now.Load().public {
		rings := func(other User) bool { return other.ID == u.ID }
		if n.Account == u.Account && slices.ContainsFunc(d.UsersOf(n), rings) && (best == "" || n.Number < best) {
			best = n.Number
		}
	}
	return best
}

// Shown is the party that a User is to those it calls.
func (d *Directory) Shown(u User) Address {
	if number := d.CallerID(u); number != "" {
		return Address{Kind: KindNumber, Value: number, Name: u.Name}
	}
	return u.Address()
}

// AtOwnNumber is a User that is called as such, by none of the numbers that ring it.
func (d *Directory) AtOwnNumber(u User) Address {
	a := u.Address()
	a.Number = d.CallerID(u)
	return a
}

// AnyCaller says whether anybody can register and call: a User with a username.
func (d *Directory) AnyCaller() bool { return len(d.now.Load().usernames) > 0 }

// Callers names the accounts of which somebody can call out: a User with a
// username.
func (d *Directory) Callers() []string {
	var accounts []string
	for _, u := range d.now.Load().usernames {
		if !slices.Contains(accounts, u.Account) {
			accounts = append(accounts, u.Account)
		}
	}
	slices.Sort(accounts)
	return accounts
}
