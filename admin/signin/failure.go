package signin

import (
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"time"
	"unicode"

	"golang.org/x/oauth2"

	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/problem"
)

// Failure is why a sign-in came to nothing.
type Failure struct {
	Problem problem.Problem
	// Detail says more, for people; "" where there is no more.
	Detail string
	// RetryAfter is when to try again; 0 where that is of no use.
	RetryAfter time.Duration
}

func fail(p problem.Problem) *Failure { return &Failure{Problem: p} }

func (f *Failure) because(text string) *Failure {
	f.Detail = text
	return f
}

func (s *SignIn) internal(err error) *Failure {
	s.config.Log.Error("the sign-in failed", slog.Any("error", err))
	return fail(problem.OperationFailed)
}

// errorCode is what RFC 6749 section 4.1.2.1 has for one, within a length that can be shown.
var errorCode = regexp.MustCompile(`^[a-z0-9_.-]{1,64}$`)

// maxDescription is how much of the issuer's own words is shown, in characters.
const maxDescription = 300

// refused shows the words of the issuer to whoever was refused. They are not logged: they
// can hold what was typed there.
func (s *SignIn) refused(code, description string) *Failure {
	if !errorCode.MatchString(code) {
		code = "error"
	}
	s.config.Log.Info("the issuer refused a sign-in", slog.String("reason", code))
	return fail(problem.SignInRefused).because(strings.TrimSpace("It says " + code + ". " + plain(description)))
}

func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	if long := []rune(text); len(long) > maxDescription {
		return string(long[:maxDescription]) + "…"
	}
	return text
}

// notRedeemed says why the issuer gave no token for a code. Its answer can hold tokens: no
// more than the error code in it is looked at.
func (s *SignIn) notRedeemed(err error) *Failure {
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) && answer.ErrorCode != "" {
		return s.refused(answer.ErrorCode, "")
	}
	s.config.Log.Warn("the issuer gave no token for a code", slog.Any("error", withoutAnswer(err)))
	return &Failure{Problem: problem.NoIssuer, RetryAfter: issuerSpacing}
}

func withoutAnswer(err error) error {
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) && answer.Response != nil {
		return errors.New("status " + answer.Response.Status)
	}
	return plainError(err)
}

// unproved says why an id token proves nobody.
func (s *SignIn) unproved(refusal *bearer.Refusal) *Failure {
	if refusal.Reason == bearer.NoKeys {
		return &Failure{Problem: problem.NoIssuer, RetryAfter: refusal.RetryAfter}
	}
	s.config.Log.Warn("an id token proves nobody", slog.String("reason", string(refusal.Reason)))
	return fail(problem.SignInInvalid).because("The id token cannot be used: " + string(refusal.Reason) + ".")
}
