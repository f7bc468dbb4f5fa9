package proof

import (
	"slices"
	"strconv"
	"strings"
)

// FromWords reads the block of the Caddyfile's word `verify`, a line a slice: a word and its
// arguments. The secrets are as they stand there, placeholders and all. The scheme is valid.
func FromWords(lines [][]string) (s Scheme, secrets []string, err error) {
	seen := make(map[string]bool)
	for _, line := range lines {
		if len(line) == 0 {
			continue
		}
		word, args := line[0], line[1:]
		if seen[word] {
			return s, nil, invalid(word, "it is given twice")
		}
		seen[word] = true
		if len(args) == 0 {
			return s, nil, invalid(word, "it takes an argument")
		}
		if word == "secret" {
			secrets = args
			continue
		}
		if err := s.word(word, args); err != nil {
			return s, nil, err
		}
	}
	return s, secrets, s.Validate()
}

// word sets the field of one word.
func (s *Scheme) word(word string, args []string) (err error) {
	one := map[string]*string{
		"algorithm": &s.Algorithm, "encoding": &s.Encoding, "prefix": &s.Prefix, "key": &s.Key, "own": &s.Own,
	}[word]
	switch {
	case word == "signature":
		return s.Signature.words(args)
	case word == "signed":
		s.Signed = args
		return nil
	case word == "timestamp":
		s.Timestamp = new(Timestamp)
		if len(args) == 3 {
			s.Timestamp.Unit, args = args[2], args[:2]
		}
		return s.Timestamp.words(word, args)
	case word == "id":
		s.ID = new(Place)
		return s.ID.words(word, args)
	case word == "digest":
		s.Digest = new(Place)
		return s.Digest.words(word, args)
	case len(args) != 1:
		return invalid(word, "it takes one argument, and is one of the words signature, algorithm, encoding, prefix, signed, timestamp, tolerance, id, digest, key, refuse, own and secret")
	case word == "tolerance":
		return s.Tolerance.UnmarshalText([]byte(args[0]))
	case word == "refuse":
		if s.Refuse, err = strconv.Atoi(args[0]); err != nil {
			return invalid(word, "it is one of 400, 401, 403 and 404")
		}
		return nil
	case one == nil:
		return invalid("verify", "its words are signature, algorithm, encoding, prefix, signed, timestamp, tolerance, id, digest, key, refuse, own and secret")
	}
	*one = args[0]
	return nil
}

// words reads a place: `header <name>...`, `query <name>`, `body <pointer>` or `pair <key>`.
func (p *Place) words(word string, args []string) error {
	kind, names := args[0], args[1:]
	if kind == "header" && len(names) > 0 {
		p.Header = names
		return nil
	}
	to := map[string]*string{"query": &p.Query, "body": &p.Body, "pair": &p.Pair}[kind]
	if to == nil || len(names) != 1 {
		return invalid(word, "it takes header <name>, query <name>, body <JSON pointer> or pair <key>")
	}
	*to = names[0]
	return nil
}

// words reads a place and a form: `pairs <separator> <assign> <key>...` or `list <separator>`.
func (s *Signature) words(args []string) error {
	end := slices.IndexFunc(args, func(arg string) bool { return arg == "whole" || arg == "pairs" || arg == "list" })
	if end < 0 {
		return s.Place.words("signature", args)
	}
	if end == 0 {
		return invalid("signature", "it takes a place before its form")
	}
	if err := s.Place.words("signature", args[:end]); err != nil {
		return err
	}
	var form []string
	s.Form, form = args[end], args[end+1:]
	switch {
	case s.Form == "pairs" && len(form) > 2:
		s.Separator, s.Assign, s.Keys = form[0], form[1], form[2:]
	case s.Form == "list" && len(form) == 1:
		s.Separator = form[0]
	case s.Form != "whole" || len(form) > 0:
		return invalid("signature", "its form is pairs <separator> <between key and value> <key>..., or list <separator>")
	}
	return nil
}

// Words returns the lines that FromWords makes the scheme of.
func (s Scheme) Words() [][]string {
	var lines [][]string
	add := func(word string, args ...string) {
		if !slices.Contains(args, "") {
			lines = append(lines, append([]string{word}, args...))
		}
	}
	add("own", s.Own)
	add("algorithm", s.Algorithm)
	if s.Own == "" {
		lines = append(lines, append([]string{"signature"}, s.Signature.args()...))
	}
	add("prefix", s.Prefix)
	add("encoding", s.Encoding)
	if len(s.Signed) > 0 {
		add("signed", s.Signed...)
	}
	if s.Timestamp != nil {
		line := append([]string{"timestamp"}, s.Timestamp.args()...)
		if s.Timestamp.Unit != "" {
			line = append(line, s.Timestamp.Unit)
		}
		lines = append(lines, line)
	}
	if s.Tolerance != 0 {
		text, _ := s.Tolerance.MarshalText()
		add("tolerance", string(text))
	}
	if s.ID != nil {
		add("id", s.ID.args()...)
	}
	if s.Digest != nil {
		add("digest", s.Digest.args()...)
	}
	add("key", s.Key)
	if s.Refuse != 0 {
		add("refuse", strconv.Itoa(s.Refuse))
	}
	return lines
}

func (p *Place) args() []string {
	switch {
	case p.Query != "":
		return []string{"query", p.Query}
	case p.Body != "":
		return []string{"body", p.Body}
	case p.Pair != "":
		return []string{"pair", p.Pair}
	}
	return append([]string{"header"}, p.Header...)
}

func (s *Signature) args() []string {
	args := s.Place.args()
	switch s.Form {
	case "pairs":
		args = append(append(args, s.Form, s.Separator, s.Assign), s.Keys...)
	case "list":
		args = append(args, s.Form, s.Separator)
	}
	return args
}

// Quoted returns a word or an argument as it stands in a Caddyfile.
func Quoted(text string) string {
	if text != "" && !strings.ContainsAny(text, " \t\r\n\"`#{}<\\") {
		return text
	}
	return `"` + strings.ReplaceAll(text, `"`, `\"`) + `"`
}
