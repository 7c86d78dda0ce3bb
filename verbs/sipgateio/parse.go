// SPDX-License-Identifier: MIT

package sipgateio

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"slices"
	"strings"

	"github.com/beevik/etree"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/verbs"
)

// maxProblems is how many problems of one reply are told; the rest are counted.
const maxProblems = 20

// Parse reads the reply to a newCall or a dtmf. What is wrong with it becomes a
// Problem, and the verb concerned is left out; a reply that is no <Response>
// gives an empty Document. An empty body is an app that says nothing, not a
// Problem.
func (d *Dialect) Parse(c engine.CallInfo, _ engine.Event, r engine.Reply) (engine.Document, []engine.Problem) {
	if len(bytes.TrimSpace(r.Body)) == 0 {
		return engine.Document{}, nil
	}
	contentType := r.Header.Get("Content-Type")
	media, _, _ := mime.ParseMediaType(contentType)
	text, err := Text(r)
	var doc *document
	if err == nil {
		doc, err = readDocument(text)
	}
	if media != "application/xml" && media != "text/xml" {
		return engine.Document{}, append(foreignType(contentType), errorRoot(doc)...)
	}
	if err != nil {
		return engine.Document{}, []engine.Problem{faultProblem(text, err)}
	}
	p := &parser{document: doc, base: r.URL, outgoing: c.Direction == engine.Out}
	p.response()
	return p.result, p.all()
}

// Text gives a reply's document in UTF-8, as the lines and columns of Problems
// count it. The error is a sentence for the customer.
func Text(r engine.Reply) (string, error) {
	_, parameters, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return decode(r.Body, parameters["charset"])
}

// foreignType complains about a Content-Type.
func foreignType(contentType string) []engine.Problem {
	if contentType == "" {
		return []engine.Problem{{Sentence: "the reply has no Content-Type: send it with Content-Type: application/xml"}}
	}
	return []engine.Problem{{Sentence: fmt.Sprintf("the reply has the Content-Type %.60q: send it with Content-Type: application/xml", contentType)}}
}

// errorRoot tells what the official client means by a root element Error, which
// it sends without a Content-Type when it distrusts a request.
func errorRoot(doc *document) []engine.Problem {
	if doc == nil || !strings.EqualFold(doc.root.Tag, "Error") {
		return nil
	}
	p := &parser{document: doc}
	p.response()
	return p.problems
}

// faultProblem says where a reply is no document.
func faultProblem(text string, err error) engine.Problem {
	var fault *faultError
	if !errors.As(err, &fault) || text == "" {
		return engine.Problem{Sentence: err.Error()}
	}
	s := source{text: text}
	line, column := s.place(fault.offset)
	return engine.Problem{Line: line, Column: column, Sentence: fault.sentence}
}

// parser makes a Document of a <Response>.
type parser struct {
	*document
	// base is where the reply came from.
	base string
	// outgoing is set for a call that a user makes.
	outgoing bool
	// last is the verb after which nothing is run, nil before it was read.
	last *etree.Element
	// shown is what a <Set> has every <Dial> show behind it.
	shown shown

	result   engine.Document
	problems []engine.Problem
	untold   int
}

// response reads the root element.
func (p *parser) response() {
	root := p.root
	switch {
	case strings.EqualFold(root.Tag, "Error"):
		message := "it gives no message"
		if a := attribute(root, "message"); a != nil {
			message = a.Value
		}
		p.complain(root, "", "the app answered with an error, which is no instruction: %.300s", message)
		return
	case !strings.EqualFold(root.Tag, "Response"):
		p.complain(root, "", "the root element is <%.40s>: it must be <Response>", root.Tag)
		return
	}
	for _, at := range p.ampersands {
		p.add(at, engine.Problem{Sentence: "this & begins no reference: write &amp; in text"})
	}
	attributes := p.attributes(root, OnAnswer, OnHangup, OnEvent)
	for _, name := range []string{OnAnswer, OnHangup, OnEvent} {
		value, ok := attributes[name]
		if ok && p.absolute(root, name, value) {
			if p.result.Remember == nil {
				p.result.Remember = engine.DialectState{}
			}
			p.result.Remember[name] = value
		}
	}
	p.children(root,
		child{name: "Dial", read: p.dial}, child{name: "Play", read: p.play}, child{name: "Say", read: p.say}, child{name: "Gather", read: p.gather},
		child{name: "Reject", read: p.reject}, child{name: "Hangup", read: p.hangup}, child{name: "Set", read: p.set, tolerated: true})
	p.settled()
}

// run adds a verb to the program; one that ends the document is the last. What
// stands behind a <Dial> is run when that reaches nobody.
func (p *parser) run(e *etree.Element, v engine.Verb, ends bool) {
	if p.last != nil {
		p.complain(e, "", "<%.40s> is never reached, because <%.40s> ends the document: put it before that, or leave it out", e.Tag, p.last.Tag)
		return
	}
	if n := len(p.result.Program); n > 0 {
		if d, ok := p.result.Program[n-1].(verbs.Dial); ok {
			d.GoOn = true
			p.result.Program[n-1] = d
		}
	}
	p.result.Program = append(p.result.Program, v)
	if ends {
		p.last = e
	}
}

// complain adds a Problem about an element or, if attribute is not empty, about
// its attribute.
func (p *parser) complain(e *etree.Element, attribute, format string, args ...any) {
	at := p.starts[e]
	if attribute != "" && len(p.problems) < maxProblems { // looking for thousands that are not told would take long
		at = p.attributeStart(at, attribute)
	}
	p.add(at, engine.Problem{
		Element: fmt.Sprintf("%.40s", e.Tag), Attribute: fmt.Sprintf("%.40s", attribute),
		Sentence: fmt.Sprintf(format, args...),
	})
}

// add adds a Problem about what stands at an offset.
func (p *parser) add(offset int, problem engine.Problem) {
	if len(p.problems) == maxProblems {
		p.untold++
		return
	}
	problem.Line, problem.Column = p.place(offset)
	p.problems = append(p.problems, problem)
}

// all gives the Problems in the order of their places, those that are not told
// as a number.
func (p *parser) all() []engine.Problem {
	slices.SortStableFunc(p.problems, func(a, b engine.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if p.untold == 0 {
		return p.problems
	}
	return append(p.problems, engine.Problem{Sentence: fmt.Sprintf("the document has %d more problems: mend these first", p.untold)})
}

// child is an element that may stand in another, and who reads it. One that is
// only tolerated is not recommended to anybody.
type child struct {
	name      string
	read      func(*etree.Element)
	tolerated bool
}

// children reads what stands in an element, and complains about elements that
// are not known there and about text.
func (p *parser) children(e *etree.Element, known ...child) {
	var names []string
	for _, k := range known {
		if !k.tolerated {
			names = append(names, k.name)
		}
	}
	if text := strings.TrimSpace(ownText(e)); text != "" {
		p.complain(e, "", "the text %.40q in <%.40s> is not read: %s", text, e.Tag, textAdvice(e.Tag))
	}
	for _, c := range e.ChildElements() {
		found := false
		for _, k := range known {
			if strings.EqualFold(k.name, c.Tag) {
				found = true
				k.read(c)
			}
		}
		if !found {
			p.complain(c, "", "<%.40s> is not known in <%.40s>: %s", c.Tag, e.Tag, elementAdvice(c.Tag, names))
		}
	}
}

// leaf gives the text of an element that holds nothing else, and the values of
// those of its attributes that are known.
func (p *parser) leaf(e *etree.Element, known ...string) (text string, attributes map[string]string) {
	attributes = p.attributes(e, known...)
	for _, c := range e.ChildElements() {
		p.complain(c, "", "<%.40s> is not known in <%.40s>: leave it out", c.Tag, e.Tag)
	}
	return strings.TrimSpace(ownText(e)), attributes
}

// attributes gives the values of an element's attributes by the names that are
// known, and complains about the others.
func (p *parser) attributes(e *etree.Element, known ...string) map[string]string {
	values := map[string]string{}
	for _, name := range known {
		if a := attribute(e, name); a != nil {
			values[name] = strings.TrimSpace(a.Value)
		}
	}
	for _, a := range e.Attr {
		isKnown := slices.ContainsFunc(known, func(name string) bool { return strings.EqualFold(name, a.Key) })
		if !isKnown && a.Space == "" && a.Key != "xmlns" {
			p.complain(e, a.Key, "<%.40s> has no attribute %.40s: %s", e.Tag, a.Key, nameAdvice(a.Key, known))
		}
	}
	return values
}

// absolute says whether a value is a URL that can be asked, and complains if it
// is not.
func (p *parser) absolute(e *etree.Element, attribute, value string) bool {
	u, err := url.Parse(value)
	switch {
	case value == "":
		p.complain(e, attribute, "the URL is empty: write the whole of it, beginning with http:// or https://")
	case len(value) > directory.MaxURL:
		p.complain(e, attribute, "the URL has %d characters, and only those with at most %d can be asked", len(value), directory.MaxURL)
	case err != nil:
		p.complain(e, attribute, "%.100q is not a URL: write the whole of it, beginning with http:// or https://", value)
	case (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "":
		return true
	case u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https":
		p.complain(e, attribute, "%.100q is neither http nor https: only these can be asked", value)
	default:
		p.complain(e, attribute, "%.100q is not an absolute URL: write %s", value, p.resolve(u))
	}
	return false
}

// resolve gives what a relative URL probably means.
func (p *parser) resolve(u *url.URL) string {
	base, err := url.Parse(p.base)
	if err != nil || base.Host == "" || u.Scheme != "" {
		return "the whole of it, beginning with http:// or https://"
	}
	base.User = nil
	return base.ResolveReference(u).String()
}
