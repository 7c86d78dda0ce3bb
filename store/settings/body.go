// SPDX-License-Identifier: MIT

package settings

import (
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/store"
)

// normal writes the name of an entry in its one form.
func normal(e engine.Entry) engine.Entry {
	switch e := e.(type) {
	case engine.App:
		e.Account = cmp.Or(e.Account, engine.DefaultAccount)
		return e
	case engine.User:
		e.Account = cmp.Or(e.Account, engine.DefaultAccount)
		return e
	case engine.Group:
		e.Account = cmp.Or(e.Account, engine.DefaultAccount)
		return e
	case engine.Number:
		e.Account, e.Number = cmp.Or(e.Account, engine.DefaultAccount), e.ID()
		return e
	case engine.Trunk:
		e.Account = cmp.Or(e.Account, engine.DefaultAccount)
		return e
	case engine.Token:
		e.Account = cmp.Or(e.Account, engine.DefaultAccount)
		return e
	}
	return e
}

// secret does something with the secret of an entry and gives the entry with
// what came of it. Place names the secret among all.
func secret(e engine.Entry, do func(secret, place string) (string, error)) (_ engine.Entry, err error) {
	if e == nil {
		return nil, nil
	}
	id := e.EntryID()
	place := fmt.Sprintf("%s/%s/%s", id.Kind, id.Account, id.ID)
	switch e := e.(type) {
	case engine.App:
		e.Secret, err = do(e.Secret, place)
		return e, err
	case engine.User:
		e.Password, err = do(e.Password, place)
		return e, err
	case engine.Trunk:
		e.Password, err = do(e.Password, place)
		return e, err
	case engine.Token:
		e.Secret, err = do(e.Secret, place)
		return e, err
	}
	return e, nil
}

// body writes an entry as it is kept; none is null.
func (k *Key) body(e engine.Entry) ([]byte, error) {
	e, err := secret(e, func(secret, place string) (string, error) { return k.seal(secret, place), nil })
	if err != nil {
		return nil, err
	}
	return json.Marshal(e)
}

// entry reads what body wrote; nil when that was none. The error is ErrKey when
// it was sealed with another key.
func (k *Key) entry(o store.Object) (engine.Entry, error) {
	e, err := decode(o)
	if err != nil || e == nil {
		return nil, err
	}
	return secret(e, k.open)
}

func decode(o store.Object) (engine.Entry, error) {
	if string(o.Body) == "null" {
		return nil, nil
	}
	switch o.Kind {
	case engine.EntryAccount:
		return read[engine.Account](o.Body)
	case engine.EntryApp:
		return read[engine.App](o.Body)
	case engine.EntryUser:
		return read[engine.User](o.Body)
	case engine.EntryGroup:
		return read[engine.Group](o.Body)
	case engine.EntryNumber:
		return read[engine.Number](o.Body)
	case engine.EntryTrunk:
		return read[engine.Trunk](o.Body)
	case engine.EntryToken:
		return read[engine.Token](o.Body)
	}
	return nil, fmt.Errorf("this version knows no %s", o.Kind)
}

func read[T engine.Entry](body []byte) (engine.Entry, error) {
	var e T
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, err
	}
	return e, nil
}
