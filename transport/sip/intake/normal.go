// SPDX-License-Identifier: MIT

package intake

import (
	"bytes"
	"strconv"
)

// normalize reads the fields that the parser reads too. It puts what they say
// into the form that the parser understands, and says whether that differs from
// what was there.
func (m *message) normalize() (unusual bool, bad string) {
	fields := m.fields
	for i := 0; i < len(fields); i++ {
		f := &fields[i]
		values, bad := f.read()
		if bad != "" {
			return false, title[f.is] + ": " + bad
		}
		if values == nil || len(values) == 1 && values[0] == string(f.value) {
			continue
		}
		unusual = true
		f.value = []byte(values[0])
		for _, more := range values[1:] { // a list becomes as many fields
			i++
			fields = append(fields[:i], append([]field{{is: f.is, name: f.name, value: []byte(more)}}, fields[i:]...)...)
			f = &fields[i]
		}
	}
	m.fields = fields
	if !isUsual(m.start) {
		m.start = usual(m.start)
		unusual = true
	}
	return unusual, ""
}

// read gives the values of a field; nil leaves it as it is.
func (f *field) read() (values []string, bad string) {
	one := func(element func(*text) string) ([]string, string) {
		values, bad := list(string(f.value), element)
		if bad == "" && len(values) != 1 {
			bad = "More Than One Value"
		}
		return values, bad
	}
	switch f.is {
	case via:
		return list(string(f.value), hop)
	case contact:
		return list(string(f.value), contacts)
	case route, recordRoute:
		return list(string(f.value), address)
	case from, to, referTo, referredBy:
		return one(address)
	case cseq:
		return one(sequence)
	case maxForwards:
		return one(hops)
	case contentLength:
		if !isNumber(string(f.value), 1<<31-1) {
			return nil, "Number Out Of Range"
		}
	case contentType:
		if len(f.value) == 0 {
			return nil, "Value Expected"
		}
	}
	return nil, ""
}

// isUsual says whether the version in the first line is in upper case.
func isUsual(start []byte) bool {
	return bytes.HasSuffix(start, []byte(" SIP/2.0")) || bytes.HasPrefix(start, []byte("SIP/2.0 "))
}

func usual(start []byte) []byte {
	start = bytes.Clone(start)
	if version(start) != "" {
		copy(start, "SIP")
	} else {
		copy(start[bytes.LastIndexByte(start, ' ')+1:], "SIP")
	}
	return start
}

// bytes writes a message anew. The body is left as it is.
func (m message) bytes() []byte {
	b := make([]byte, 0, 512+len(m.body)+64*len(m.fields))
	b = append(append(b, m.start...), "\r\n"...)
	stated := false
	for _, f := range m.fields {
		stated = stated || f.is == contentLength
		b = append(append(append(append(b, f.name...), ": "...), f.value...), "\r\n"...)
	}
	if !stated {
		b = append(strconv.AppendInt(append(b, "Content-Length: "...), int64(len(m.body)), 10), "\r\n"...)
	}
	return append(append(b, "\r\n"...), m.body...)
}
