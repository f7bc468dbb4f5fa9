package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/admin/api"
)

// verifyFlags say how the senders of a credential prove themselves. Secrets are in files or
// variables: on a command line, every process of the machine can read them.
type verifyFlags struct {
	scheme      string
	files, envs []string
}

func (v *verifyFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&v.scheme, "verify", "", "How its senders prove themselves: the name of a scheme, or @ and a file with one as JSON")
	flags.StringArrayVar(&v.files, "verify-secret-file", nil, "A file that holds a secret of theirs; can be repeated")
	flags.StringArrayVar(&v.envs, "verify-secret-env", nil, "A variable that holds a secret of theirs; can be repeated")
}

// settings returns what the flags say; nil where there is none of them.
func (v *verifyFlags) settings() (*api.VerifySettings, error) {
	if v.scheme == "" && len(v.files)+len(v.envs) == 0 {
		return nil, nil
	}
	secrets, err := secretsOf(v.files, v.envs)
	if err != nil {
		return nil, err
	}
	if v.scheme == "" || len(secrets) == 0 {
		return nil, Usagef("--verify and a --verify-secret-file or --verify-secret-env go together")
	}
	scheme := api.SchemeOf(v.scheme)
	if file, named := strings.CutPrefix(v.scheme, "@"); named {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &scheme); err != nil {
			return nil, fmt.Errorf("%s holds no scheme as JSON", file)
		}
	}
	return &api.VerifySettings{Scheme: scheme, Secrets: secrets}, nil
}

// secretsOf reads secrets. What ends the line of a file is no part of it.
func secretsOf(files, envs []string) (secrets []string, err error) {
	for _, name := range envs {
		secret := os.Getenv(name)
		if secret == "" {
			return nil, fmt.Errorf("the variable %s is empty or not set", name)
		}
		secrets = append(secrets, secret)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		text = bytes.TrimRight(text, "\r\n")
		if len(text) == 0 {
			return nil, fmt.Errorf("%s is empty", file)
		}
		secrets = append(secrets, string(text))
	}
	return secrets, nil
}
