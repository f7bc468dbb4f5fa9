package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/internal/fetch"
	"github.com/hookgate/hookgate/proof"
)

const (
	maxSent     = 64 << 20 // above what any guard lets in by default
	maxSentBack = 1 << 20
)

// sending is what the flags of the command send say.
type sending struct {
	scheme, secretEnv, secretFile string
	url, publicURL, method, id    string
	body                          string
	headers                       []string
	timestamp                     int64
}

// Send makes cmd the command that makes a webhook as a vendor would.
func Send(cmd *cobra.Command) {
	cmd.Use = "send --as <scheme> --secret-env <name> --url <url> [flags]"
	cmd.Short = "Sends a webhook as a vendor would"
	cmd.Long = `
Sends one request with the proof that a vendor would send with it, so that a set-up
can be tried from end to end. The status of the answer is printed first, then its
body; the exit code is 0 where the status is 2xx, else 1.

The secret is in an environment variable or a file. For a scheme with public keys it
is a private key in PEM, of which the server has the public one.`
	cmd.Example = `  hookgate send --as stripe --secret-env STRIPE_SECRET --url "$WEBHOOK_URL" --body event.json
  echo "$WEBHOOK_URL" | hookgate send --as github --secret-file github.secret --url -`
	ExitOnFlags(cmd)
	cmd.Args = cobra.ArbitraryArgs
	var s sending
	flags := cmd.Flags()
	flags.StringVar(&s.scheme, "as", "", "A name that `hookgate schemes` lists, or a scheme as a JSON object; required")
	flags.StringVar(&s.secretEnv, "secret-env", "", "The environment variable that holds the secret")
	flags.StringVar(&s.secretFile, "secret-file", "", "The file that holds the secret")
	flags.StringVar(&s.url, "url", "", "Where to send it, or - to read that from standard input; required")
	flags.StringVar(&s.publicURL, "public-url", "", "The URL that is signed, where that is another than it is sent to; without a path, that of --url")
	flags.StringVar(&s.method, "method", http.MethodPost, "The method")
	flags.StringVar(&s.body, "body", "", "The file with the body; a small JSON object where none is given")
	flags.StringArrayVar(&s.headers, "header", nil, "A header, as 'Name: value'; can be repeated")
	flags.StringVar(&s.id, "id", "", "The id of the event; a random one where none is given")
	flags.Int64Var(&s.timestamp, "timestamp", 0, "When it is said to be sent, in Unix seconds; now where none is given")
	cmd.RunE = FinishWith(func(cmd *cobra.Command, args []string) error {
		if err := NoArgument(args); err != nil {
			return err
		}
		return s.run(cmd)
	})
}

func (s *sending) run(cmd *cobra.Command) error {
	scheme, err := s.parseScheme()
	if err != nil {
		return err
	}
	secret, err := s.secret()
	if err != nil {
		return err
	}
	target, err := s.target()
	if err != nil {
		return err
	}
	message, err := s.message(target)
	if err != nil {
		return err
	}
	signed, err := proof.Sign(scheme, secret, s.id, message)
	if err != nil {
		return Usagef("--as: %w", err)
	}
	return send(cmd, target, signed)
}

func (s *sending) parseScheme() (proof.Scheme, error) {
	if s.scheme == "" {
		return proof.Scheme{}, Usagef("--as is missing: a name that `hookgate schemes` lists")
	}
	text := s.scheme
	if !strings.HasPrefix(text, "{") {
		text = `"` + text + `"`
	}
	scheme, err := proof.Parse([]byte(text))
	if err != nil {
		return scheme, Usagef("--as: %w", err)
	}
	return scheme, nil
}

// secret returns the secret. There is no flag for it: every process of a machine can read a command line.
func (s *sending) secret() (string, error) {
	if (s.secretEnv == "") == (s.secretFile == "") {
		return "", Usagef("one of --secret-env and --secret-file says where the secret is")
	}
	secret := os.Getenv(s.secretEnv)
	if s.secretFile != "" {
		text, err := os.ReadFile(s.secretFile)
		if err != nil {
			return "", Usagef("--secret-file: %w", errors.Unwrap(err))
		}
		secret = strings.TrimRight(string(text), "\r\n")
	}
	if secret == "" {
		return "", Usagef("the secret is empty")
	}
	return secret, nil
}

// target returns where to send it. The URL holds a token, so no error repeats it.
func (s *sending) target() (*url.URL, error) {
	text := s.url
	if text == "-" {
		line, err := io.ReadAll(io.LimitReader(os.Stdin, maxTyped))
		if err != nil {
			return nil, err
		}
		text = strings.TrimSpace(string(line))
	}
	target, err := url.Parse(text)
	if err != nil || target.Scheme != "http" && target.Scheme != "https" || target.Host == "" || target.User != nil {
		return nil, Usagef("--url is where to send it: http or https, a host and a path")
	}
	if target.Path == "" {
		target.Path = "/"
	}
	target.Fragment = ""
	return target, nil
}

func (s *sending) message(target *url.URL) (proof.Message, error) {
	m := proof.Message{
		Method: s.method, PublicURL: target.Scheme + "://" + target.Host,
		Path: target.EscapedPath(), RawQuery: target.RawQuery,
		Header:  map[string][]string{"Content-Type": {"application/json"}},
		Arrived: time.Now(),
	}
	if s.publicURL != "" {
		public, err := url.Parse(s.publicURL)
		if err != nil || public.Host == "" || public.User != nil || public.Scheme != "http" && public.Scheme != "https" {
			return m, Usagef("--public-url is http or https and a host, with or without the path")
		}
		m.PublicURL = public.Scheme + "://" + public.Host
		if public.Path != "" && public.Path != "/" {
			m.Path, m.RawQuery = public.EscapedPath(), public.RawQuery
		}
	}
	if s.timestamp != 0 {
		m.Arrived = time.Unix(s.timestamp, 0)
	}
	if s.id == "" {
		s.id = uuid.NewString()
	}
	for _, line := range s.headers {
		name, value, found := strings.Cut(line, ":")
		if !found || name == "" {
			return m, Usagef("--header is a name, a colon and a value")
		}
		m.Header[http.CanonicalHeaderKey(name)] = []string{strings.TrimSpace(value)}
	}
	m.Body = fmt.Appendf(nil, `{"id":%q,"type":"hookgate.test"}`, s.id)
	if s.body != "" {
		file, err := os.Open(s.body)
		if err != nil {
			return m, Usagef("--body: %w", errors.Unwrap(err))
		}
		defer file.Close()
		if m.Body, err = io.ReadAll(io.LimitReader(file, maxSent+1)); err != nil || len(m.Body) > maxSent {
			return m, Usagef("--body: it cannot be read, or is larger than 64 MiB")
		}
	}
	return m, nil
}

// send prints what the server answers.
func send(cmd *cobra.Command, target *url.URL, m proof.Message) error {
	target.RawQuery = m.RawQuery
	request, err := http.NewRequestWithContext(cmd.Context(), m.Method, target.String(), bytes.NewReader(m.Body))
	if err != nil {
		return Usagef("--method is not one of HTTP")
	}
	request.Header = m.Header
	client := fetch.New(fetch.Options{Timeout: operatorTimeout, MaxBody: maxSentBack, Proxy: http.ProxyFromEnvironment})
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("%s does not answer: %w", target.Host, err)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%d %s\n", answer.Status, http.StatusText(answer.Status))
	if len(answer.Body) > 0 {
		fmt.Fprintln(cmd.OutOrStdout(), strings.TrimRight(printable(string(answer.Body)), "\n"))
	}
	if answer.Status/100 != 2 {
		return fmt.Errorf("it was not taken: %d", answer.Status)
	}
	return nil
}
