// SPDX-License-Identifier: MIT

package sipgateio

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
	"golang.org/x/net/html/charset"
)

// maxDepth is how deep elements may be nested; documents need three levels.
const maxDepth = 16

// document is well-formed XML in which every element's place is known.
type document struct {
	source
	root *etree.Element
	// starts are the offsets in the source at which elements begin.
	starts map[*etree.Element]int
	// ampersands are the offsets of the first unescaped & of each text.
	ampersands []int
}

// faultError is why a reply is no document, and where in it.
type faultError struct {
	offset   int
	sentence string
}

func (e *faultError) Error() string { return e.sentence }

// readDocument reads XML 1.0, with two freedoms: an & that begins no reference
// stands for itself (the official client does not escape the URLs that it
// writes), and namespaces are not looked at. The error is a *faultError.
func readDocument(text string) (*document, error) {
	d := &document{source: newSource(text), starts: map[*etree.Element]int{}}
	starts, err := d.check()
	if err != nil {
		return nil, err
	}
	tree := etree.NewDocument()
	tree.ReadSettings = etree.ReadSettings{PreserveDuplicateAttrs: true, MaxDepth: maxDepth}
	if err := tree.ReadFromString(d.escaped); err != nil {
		return nil, notWellFormed(0, err)
	}
	d.root = tree.Root()
	d.locate(d.root, starts)
	return d, nil
}

// check sees that the text is one well-formed element and gives the offsets at
// which elements begin, in their order.
func (d *document) check() (starts []int, err error) {
	decoder := xml.NewDecoder(strings.NewReader(d.escaped))
	// The text is UTF-8 by now, whatever it says of itself.
	decoder.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	depth := 0
	for {
		begin := int(decoder.InputOffset())
		token, err := decoder.Token()
		at := d.original(begin)
		switch {
		case errors.Is(err, io.EOF) && len(starts) == 0:
			return nil, &faultError{0, "the reply holds no XML element: answer with <Response/> when there is nothing to do"}
		case errors.Is(err, io.EOF):
			return starts, nil
		case err != nil:
			return nil, notWellFormed(d.original(int(decoder.InputOffset())), err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth == 0 && len(starts) > 0 {
				return nil, &faultError{at, fmt.Sprintf("<%.40s> is a second root element: put everything into one <Response>", token.Name.Local)}
			}
			if depth++; depth > maxDepth {
				return nil, &faultError{at, fmt.Sprintf("elements are nested more than %d deep: a <Response> needs three levels", maxDepth)}
			}
			if twice, ok := duplicate(token.Attr); ok {
				return nil, &faultError{at, fmt.Sprintf("<%.40s> has the attribute %.40s twice: keep one of them", token.Name.Local, twice)}
			}
			starts = append(starts, at)
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && strings.TrimSpace(string(token)) != "" {
				at += len(d.text[at:]) - len(strings.TrimLeft(d.text[at:], " \t\r\n"))
				return nil, &faultError{at, "there is text outside of an element: a reply is one <Response> and nothing else"}
			}
			if bare, ok := d.bareBetween(at, d.original(int(decoder.InputOffset()))); ok {
				d.ampersands = append(d.ampersands, bare)
			}
		}
	}
}

// notWellFormed says what the XML decoder found.
func notWellFormed(offset int, err error) error {
	found := err.Error()
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		found = syntax.Msg
	}
	return &faultError{offset, fmt.Sprintf("the reply is not well-formed XML (%.200s): close every element, quote every attribute, and write &lt; for < in text", found)}
}

// duplicate finds an attribute that an element has twice. Names count the same
// in any case, so that no reader can take the other one.
func duplicate(attrs []xml.Attr) (string, bool) {
	seen := make(map[xml.Name]bool, len(attrs))
	for _, a := range attrs {
		name := xml.Name{Space: a.Name.Space, Local: strings.ToLower(a.Name.Local)}
		if seen[name] {
			return a.Name.Local, true
		}
		seen[name] = true
	}
	return "", false
}

// locate walks the elements in the order in which they begin.
func (d *document) locate(e *etree.Element, starts []int) (rest []int) {
	d.starts[e], rest = starts[0], starts[1:]
	for _, child := range e.ChildElements() {
		rest = d.locate(child, rest)
	}
	return rest
}

// source is a text in which places can be found.
type source struct {
	text string
	// escaped is the text with &amp; for every & that begins no reference; bare
	// are the offsets of those in text.
	escaped string
	bare    []int
}

// ampersand finds what an & is in XML: part of a comment, of a CDATA section, of
// a reference, or bare.
var ampersand = regexp.MustCompile(`(?s)<!--.*?-->|<!\[CDATA\[.*?\]\]>|&(?:#[0-9]+|#x[0-9A-Fa-f]+|lt|gt|amp|quot|apos);|&`)

const escapedAmpersand = "&amp;"

func newSource(text string) source {
	s := source{text: text}
	var b strings.Builder
	end := 0
	for _, at := range ampersand.FindAllStringIndex(text, -1) {
		if text[at[0]:at[1]] != "&" {
			continue
		}
		s.bare = append(s.bare, at[0])
		b.WriteString(text[end:at[0]])
		b.WriteString(escapedAmpersand)
		end = at[1]
	}
	b.WriteString(text[end:])
	s.escaped = b.String()
	return s
}

// original gives the offset in the text for one in its escaped form.
func (s *source) original(escaped int) int {
	const longer = len(escapedAmpersand) - 1
	before := sort.Search(len(s.bare), func(i int) bool { return s.bare[i]+i*longer >= escaped })
	return min(max(escaped-before*longer, 0), len(s.text))
}

// bareBetween finds the first bare & between two offsets.
func (s *source) bareBetween(from, to int) (offset int, ok bool) {
	i := sort.SearchInts(s.bare, from)
	if i == len(s.bare) || s.bare[i] >= to {
		return 0, false
	}
	return s.bare[i], true
}

// attributeMark finds what an attribute begins with, and its value, in a
// well-formed start tag.
var attributeMark = regexp.MustCompile(`([^\s"'<>=/]+)\s*=\s*(?:"[^"]*"|'[^']*')`)

// attributeStart gives the offset at which an attribute of the element that
// begins at another one stands, in any case and with any prefix; that of the
// element if it has none.
func (s *source) attributeStart(element int, name string) int {
	for at := element; ; {
		next := attributeMark.FindStringSubmatchIndex(s.text[at:])
		if next == nil || strings.Contains(s.text[at:at+next[0]], ">") {
			return element
		}
		found := s.text[at+next[2] : at+next[3]]
		if _, local, ok := strings.Cut(found, ":"); ok {
			found = local
		}
		if strings.EqualFold(found, name) {
			return at + next[2]
		}
		at += next[1]
	}
}

// place gives the line and the column of an offset, in characters from 1.
func (s *source) place(offset int) (line, column int) {
	before := s.text[:offset]
	begin := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[begin:]) + 1
}

// declaration finds the encoding that an XML document declares.
var declaration = regexp.MustCompile(`^\s*<\?xml\s[^>]*?encoding\s*=\s*["']([^"'>]*)["']`)

// decode gives a body's text in UTF-8. A byte order mark tells the encoding, or
// else the label from the Content-Type, or else the XML declaration (RFC 7303
// section 3.2).
func decode(body []byte, label string) (string, error) {
	switch {
	case bytes.HasPrefix(body, []byte{0xef, 0xbb, 0xbf}):
		label, body = "utf-8", body[3:]
	case bytes.HasPrefix(body, []byte{0xfe, 0xff}):
		label, body = "utf-16be", body[2:]
	case bytes.HasPrefix(body, []byte{0xff, 0xfe}):
		label, body = "utf-16le", body[2:]
	case label == "":
		label = "utf-8"
		if m := declaration.FindSubmatch(body); m != nil {
			label = string(m[1])
		}
	}
	encoding, name := charset.Lookup(label)
	if encoding == nil {
		return "", &faultError{0, fmt.Sprintf("the encoding %.40q of the reply is not known: send it as UTF-8", label)}
	}
	if name == "utf-8" {
		return string(body), checkUTF8(string(body))
	}
	text, err := encoding.NewDecoder().Bytes(body)
	if err != nil {
		return "", &faultError{0, fmt.Sprintf("the reply cannot be read as %.40q (%v): send it as UTF-8", label, err)}
	}
	return string(text), nil
}

// checkUTF8 finds the first byte that is not UTF-8.
func checkUTF8(text string) error {
	for i, r := range text {
		if r != utf8.RuneError {
			continue
		}
		if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
			return &faultError{i, fmt.Sprintf("the byte %02X is not UTF-8: send UTF-8, or declare the encoding, for example encoding=\"ISO-8859-1\"", text[i])}
		}
	}
	return nil
}
