// SPDX-License-Identifier: MIT

package config

import (
	"errors"

	"go.yaml.in/yaml/v3"
)

// errNoSettings says that a file holds something else than settings.
var errNoSettings = errors.New(`these are no settings: write a name, a colon and its value, like database: "sqlite:callwright.db"`)

// literal reads YAML without making numbers of what looks like one: telephone
// numbers, PINs and passwords may begin with a zero, and YAML would take 0211
// for an octal number. What is to be a number is made one when it is decoded.
type literal struct{}

// Unmarshal is that of koanf.Parser.
func (literal) Unmarshal(text []byte) (map[string]any, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	takeLiterally(&document)
	settings := map[string]any{}
	if document.Kind == 0 { // an empty file
		return settings, nil
	}
	if root := document.Content[0]; root.Kind != yaml.MappingNode && root.Tag != "!!null" {
		return nil, errNoSettings
	}
	return settings, document.Decode(&settings)
}

// Marshal is that of koanf.Parser.
func (literal) Marshal(settings map[string]any) ([]byte, error) { return yaml.Marshal(settings) }

func takeLiterally(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || n.Tag == "!!float") {
		n.Tag = "!!str"
	}
	for _, child := range n.Content {
		takeLiterally(child)
	}
}
