// SPDX-License-Identifier: MIT

package tone

import (
	"maps"
	"slices"
)

// DefaultCountry is the tones that ETSI recommends for Europe.
const DefaultCountry = "eu"

// Beep is what a voicemail says before it records.
const Beep = "1000/400"

// special is the special information tone, before an announcement (ITU-T E.180
// section 7.3): a stranger knows by it that no person speaks.
const special = "950/330,1400/330,1800/330,0/1000"

// The tones of a network, by the names that apps use.
const (
	Ringing    = "ringing"    // the other side rings
	Busy       = "busy"       // it is engaged
	Congestion = "congestion" // the network is
	Info       = "info"       // an announcement follows, or would
)

// countries are the tones of networks, by the country's code (ISO 3166), in the
// notation of Parse. They are those of ITU-T E.180 Supplement 2 (Various tones
// used in national networks); eu is ETSI TR 101 041-2, gb is BT SIN 350, us is
// the precise tone plan of North America (Telcordia GR-506), au is AS/CA S002.
var countries = map[string]map[string]string{
	"at": {Ringing: "420/1000,0/5000", Busy: "420/400,0/400", Congestion: "420/200,0/200", Info: special},
	"au": {Ringing: "400+450/400,0/200,400+450/400,0/2000", Busy: "425/375,0/375", Congestion: "425/375,0/375", Info: "425/2500,0/500"},
	"ch": {Ringing: "425/1000,0/4000", Busy: "425/500,0/500", Congestion: "425/200,0/200", Info: special},
	"de": {Ringing: "425/1000,0/4000", Busy: "425/480,0/480", Congestion: "425/240,0/240", Info: special},
	"es": {Ringing: "425/1500,0/3000", Busy: "425/200,0/200", Congestion: "425/200,0/200,425/200,0/200,425/200,0/600", Info: special},
	"eu": {Ringing: "425/1000,0/4000", Busy: "425/500,0/500", Congestion: "425/200,0/200", Info: special},
	"fr": {Ringing: "440/1500,0/3500", Busy: "440/500,0/500", Congestion: "440/250,0/250", Info: special},
	"gb": {Ringing: "400+450/400,0/200,400+450/400,0/2000", Busy: "400/375,0/375", Congestion: "400/400,0/350,400/225,0/525", Info: special},
	"it": {Ringing: "425/1000,0/4000", Busy: "425/500,0/500", Congestion: "425/200,0/200", Info: special},
	// 400 Hz that swells 16 times a second: two sines 16 Hz apart do that.
	"jp": {Ringing: "392+408/1000,0/2000", Busy: "400/500,0/500", Congestion: "400/500,0/500", Info: special},
	"nl": {Ringing: "425/1000,0/4000", Busy: "425/500,0/500", Congestion: "425/250,0/250", Info: special},
	"pl": {Ringing: "425/1000,0/4000", Busy: "425/500,0/500", Congestion: "425/500,0/500", Info: special},
	"se": {Ringing: "425/1000,0/5000", Busy: "425/250,0/250", Congestion: "425/250,0/750", Info: special},
	"us": {Ringing: "440+480/2000,0/4000", Busy: "480+620/500,0/500", Congestion: "480+620/250,0/250", Info: special},
}

// Countries lists the codes of those whose tones are known, in order.
func Countries() []string { return slices.Sorted(maps.Keys(countries)) }

// Names lists the names of the tones that every country has, in order.
func Names() []string { return slices.Sorted(maps.Keys(countries[DefaultCountry])) }

// Of gives the notation of a country's tone, or nothing if either is not known.
func Of(country, name string) string { return countries[country][name] }
