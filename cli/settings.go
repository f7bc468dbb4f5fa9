package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/internal/fetch"
)

// Where the commands that talk to the admin API find what is not on their command
// line. The token never is: other users of the machine can read that.
const (
	serverEnv = "HOOKGATE_SERVER"
	tokenEnv  = "HOOKGATE_TOKEN"
	tenantEnv = "HOOKGATE_TENANT"
)

// settings are what all commands that talk to the admin API have in common.
type settings struct {
	server, tokenFile, configFile, tenant string
	insecureHTTP                          bool
	stderr                                func() io.Writer
}

// operatorConfig is the file that saves typing. A flag or a variable goes before it.
type operatorConfig struct {
	// Server is the address of the admin API.
	Server string `json:"server"`
	// TokenFile holds the operator's JWT; relative to the directory of this file.
	TokenFile string `json:"token_file"`
	// Tenant is the one of several that the JWT is for.
	Tenant string `json:"tenant"`
	// InsecureHTTP sends the token over http:// to other machines too.
	InsecureHTTP bool `json:"insecure_http"`
}

// serverFlags adds the flags of the settings to cmd and the commands below it.
func serverFlags(cmd *cobra.Command) *settings {
	f := addressFlags(cmd)
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.tokenFile, "token-file", "", "A file that holds your JWT (or "+tokenEnv+" holds the JWT itself)")
	flags.StringVar(&f.tenant, "tenant", "", "Which tenant, where your JWT is for several ("+tenantEnv+")")
	return f
}

// addressFlags adds the flags that say where the server is.
func addressFlags(cmd *cobra.Command) *settings {
	f := &settings{stderr: cmd.ErrOrStderr}
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.server, "server", "", "The address of the admin API, such as http://127.0.0.1:8081 ("+serverEnv+")")
	flags.StringVar(&f.configFile, "cli-config", "", "A JSON file with server and token_file (default: hookgate/config.json in $XDG_CONFIG_HOME)")
	flags.BoolVar(&f.insecureHTTP, "insecure-http", false, "Send the JWT over http:// to another machine, where whoever is on the way can read it")
	return f
}

// address returns where the server is, for who has yet to sign in.
func (f *settings) address() (*url.URL, error) {
	config, err := f.readConfig()
	if err != nil {
		return nil, err
	}
	kept, err := readLogin()
	if err != nil {
		return nil, err
	}
	return f.base(config, kept)
}

func (f *settings) base(config operatorConfig, kept login) (*url.URL, error) {
	return serverURL(cmp.Or(f.server, os.Getenv(serverEnv), config.Server, kept.Server), f.insecureHTTP || config.InsecureHTTP)
}

// client returns a client as the flags, the environment, the file and the last login say,
// in this order. What is wrong about them is wrong usage.
func (f *settings) client() (*operatorClient, error) {
	config, err := f.readConfig()
	if err != nil {
		return nil, Usage(err)
	}
	kept, err := readLogin()
	if err != nil {
		return nil, Usage(err)
	}
	base, err := f.base(config, kept)
	if err != nil {
		return nil, Usage(err)
	}
	if kept.Server != base.String() {
		kept.Token = "" // it is another server's
	}
	token, err := f.token(config, kept.Token)
	if err != nil {
		return nil, Usage(err)
	}
	tenant, err := tenantChoice(cmp.Or(f.tenant, os.Getenv(tenantEnv), config.Tenant))
	if err != nil {
		return nil, Usage(err)
	}
	return newOperatorClient(base, token, tenant), nil
}

// tenantChoice reads a tenant as the API has it, "" for none. Whether the JWT is for it the
// server says.
func tenantChoice(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	tenant, err := uuid.Parse(text)
	if err != nil {
		return "", errors.New("the tenant must be a UUID: see --tenant, and " + tenantEnv)
	}
	return tenant.String(), nil
}

func (f *settings) readConfig() (operatorConfig, error) {
	var config operatorConfig
	file := f.configFile
	if file == "" {
		home, err := os.UserConfigDir()
		if err != nil {
			return config, nil // nobody's: a service without a home
		}
		file = filepath.Join(home, "hookgate", "config.json")
	}
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && f.configFile == "":
		return config, nil
	case err != nil:
		return config, err
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&config); err != nil {
		return config, fmt.Errorf("%s: %w", file, err)
	}
	if config.TokenFile != "" && !filepath.IsAbs(config.TokenFile) {
		config.TokenFile = filepath.Join(filepath.Dir(file), config.TokenFile)
	}
	return config, nil
}

// token returns the JWT: that of the last login where no other is given. It goes into a
// header, so it must not hold what ends one.
func (f *settings) token(config operatorConfig, kept string) (string, error) {
	token, file := os.Getenv(tokenEnv), f.tokenFile
	if file == "" && token == "" {
		file = config.TokenFile
	}
	switch {
	case file != "":
		text, err := f.readToken(file)
		if err != nil {
			return "", err
		}
		token = string(text)
	case token == "" && kept == "":
		return "", errors.New("no operator's JWT: sign in with hookgate login, give --token-file, or set " + tokenEnv)
	case token == "":
		token = kept
	}
	token = strings.TrimSpace(token)
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			return "", errors.New("the operator's JWT has characters that no JWT has")
		}
	}
	if token == "" {
		return "", errors.New("the operator's JWT is empty")
	}
	return token, nil
}

func (f *settings) readToken(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	warnOfReaders(f.stderr(), file)
	return io.ReadAll(file)
}

var errServerURL = errors.New("the server must be a URL such as http://127.0.0.1:8081 or https://hookgate.example.com")

// serverURL parses the address of the admin API. Over http:// the JWT can be read on
// the way, so it stays on this machine unless the operator knows the network.
func serverURL(address string, insecureHTTP bool) (*url.URL, error) {
	if address == "" {
		return nil, errors.New("no server: give --server, or set " + serverEnv)
	}
	u, err := url.Parse(address)
	switch {
	case err != nil, u.Host == "", u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, errServerURL
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errServerURL
	case !fetch.Secure(u) && !insecureHTTP:
		return nil, fmt.Errorf("%s is another machine, and http:// would show it and everybody on the way your JWT: use https://, or --insecure-http in a network that you trust", u.Host)
	}
	return u, nil
}
