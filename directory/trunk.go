// SPDX-License-Identifier: MIT

package directory

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// Trunk is how calls leave and enter.
type Trunk struct {
	Name    string `json:"name"`
	Account string `json:"account"`
	// Address is where calls are sent: "host:port;transport=udp". A trunk
	// without one only takes calls.
	Address string `json:"address,omitempty"`
	// Username and Password answer a digest challenge.
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	// From is the number shown when a call names no other.
	From string `json:"from,omitempty"`
	// AllowFrom are the sources whose calls are taken as this trunk's.
	AllowFrom []netip.Prefix `json:"allow_from,omitempty"`
	// App is the key of the App for numbers that are configured nowhere.
	App string `json:"app,omitempty"`
	// DTMF is how keys are sent to it, and SRTP whether sound is encrypted, as
	// in User.
	DTMF string `json:"dtmf,omitempty"`
	SRTP string `json:"srtp,omitempty"`
	// Register has us register at Address with Username, for the calls that the
	// other side sends only to who is registered (RFC 3261 section 10).
	Register bool `json:"register,omitempty"`
	// Identity is where the caller id goes: IdentityFrom (also when empty),
	// IdentityAsserted or IdentityPreferred.
	Identity string `json:"identity,omitempty"`
	// Headers are sent with every INVITE to it.
	Headers map[string]string `json:"headers,omitempty"`
	// Options is how often it is asked with OPTIONS whether it is there, as a
	// duration ("30s"); empty is never. One that does not answer gets no calls
	// while another does.
	Options string `json:"options,omitempty"`
	// Priority orders the trunks of an account, least first, as of SRV records
	// (RFC 2782); of those that are equal each gets calls by its share of their
	// Weights, of which 0 counts as 1.
	Priority int `json:"priority,omitempty"`
	Weight   int `json:"weight,omitempty"`
	// MaxCalls is how many calls it may carry at once, both ways, and
	// CallsPerSecond how many may begin on it in one second; 0 is no limit.
	MaxCalls       int `json:"max_calls,omitempty"`
	CallsPerSecond int `json:"calls_per_second,omitempty"`
	// TLS is what its connections are secured with.
	TLS TrunkTLS `json:"tls,omitzero"`
}

// The values of Trunk.Identity.
const (
	IdentityFrom      = "from"      // the caller id is the user of From
	IdentityAsserted  = "asserted"  // Username is, and the caller id is in P-Asserted-Identity (RFC 3325)
	IdentityPreferred = "preferred" // the same with P-Preferred-Identity
)

// TrunkTLS is what a Trunk's connections are secured with.
type TrunkTLS struct {
	// Cert and Key are the PEM files of the certificate that we show to it.
	Cert string `json:"cert,omitempty"`
	Key  string `json:"key,omitempty"`
	// CA is the PEM file of those who may have signed its certificate; empty
	// means those that the system trusts.
	CA string `json:"ca,omitempty"`
	// ServerName is the name that its certificate must have; empty is the host
	// of its address.
	ServerName string `json:"server_name,omitempty"`
	// ClientName, if set, is the name that the certificate must have which it
	// shows to us when it calls: its calls come by TLS and with that one only.
	ClientName string `json:"client_name,omitempty"`
}

// TrunkStatus is how a Trunk does at the moment.
type TrunkStatus struct {
	Account, Name string
	// Healthy says that calls are sent to it, as far as OPTIONS and its own
	// refusals tell.
	Healthy bool
	// Calls is how many it carries, both ways.
	Calls int
	// RegisteredUntil is how long the other side knows us, if it is one that we
	// register with; zero if it does not. Error is why the last registration failed
	// or, if it did not, why the trunk is not healthy.
	RegisteredUntil time.Time
	Error           string
}

// EntryID is that of Entry.
func (t Trunk) EntryID() EntryID { return EntryID{EntryTrunk, t.Account, t.Name} }

func (x *index) addTrunk(t Trunk) *EntryError {
	t.Account = cmp.Or(t.Account, DefaultAccount)
	name := t.EntryID()
	if err := cmp.Or(x.owner(name, t.Account), x.mine(name, t.Account, t.App), name.dtmf(t.DTMF), name.srtp(t.SRTP)); err != nil {
		return err
	}
	if slices.ContainsFunc(x.trunks, func(o Trunk) bool { return o.Name == t.Name && o.Account == t.Account }) {
		return name.taken("name", "is configured twice")
	}
	x.trunks = append(x.trunks, t)
	return nil
}

// Trunks gives all trunks of all accounts.
func (d *Directory) Trunks() []Trunk { return slices.Clone(d.now.Load().trunks) }

// Trunk finds a Trunk by its account and name.
func (d *Directory) Trunk(account, name string) (Trunk, bool) {
	for _, t := range d.now.Load().trunks {
		if t.Account == account && t.Name == name {
			return t, true
		}
	}
	return Trunk{}, false
}

// TrunkFrom finds the trunk that takes calls from a source address: the one that
// names it most closely.
func (d *Directory) TrunkFrom(source netip.Addr) (trunk Trunk, ok bool) {
	closest := -1
	for _, t := range d.now.Load().trunks {
		for _, p := range t.AllowFrom {
			if p.Contains(source.Unmap()) && p.Bits() > closest {
				trunk, ok, closest = t, true, p.Bits()
			}
		}
	}
	return trunk, ok
}

// NearestTrunk gives the trunk whose calls come from the network that has most in
// common with a source, and that network, for a log line; none when no trunk names
// a network of its family.
func (d *Directory) NearestTrunk(source netip.Addr) (trunk Trunk, network netip.Prefix, ok bool) {
	most := -1
	for _, t := range d.now.Load().trunks {
		for _, p := range t.AllowFrom {
			if p.Addr().Is4() != source.Is4() {
				continue
			}
			shared := 0
			for shared < p.Bits() && netip.PrefixFrom(p.Addr(), shared+1).Contains(source) {
				shared++
			}
			if shared > most {
				trunk, network, ok, most = t, p, true, shared
			}
		}
	}
	return trunk, network, ok
}

// TrunksOut gives the trunks by which calls of an account can leave, in the order
// in which they are to be tried: by Priority, and those that are equal as chance
// and their Weights have it (RFC 2782). They are the account's own or, if it has
// none with an address, the operator's.
func (d *Directory) TrunksOut(account string) []Trunk {
	var out []Trunk
	for _, owner := range []string{account, DefaultAccount} {
		for _, t := range d.now.Load().trunks {
			if t.Address != "" && t.Account == owner {
				out = append(out, t)
			}
		}
		if len(out) > 0 {
			break
		}
	}
	// The least of exponential draws is each one's with the chance that its
	// weight has, and so are those that follow.
	draws := make(map[string]float64, len(out))
	for _, t := range out {
		draws[t.Name] = rand.ExpFloat64() / float64(max(t.Weight, 1))
	}
	slices.SortStableFunc(out, func(a, b Trunk) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(draws[a.Name], draws[b.Name]))
	})
	return out
}
