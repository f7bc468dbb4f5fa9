package signin

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"
)

const (
	// attemptLife is how long somebody may take to sign in at the issuer.
	attemptLife = 10 * time.Minute
	// maxCookie is how long name and value may be: RFC 6265 section 6.1 has browsers keep
	// 4096 bytes, attributes included.
	maxCookie = 3800
)

// attempt is a sign-in that was begun in this browser.
type attempt struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	Redirect string `json:"redirect"`
	Until    int64  `json:"until"` // Unix seconds
}

// setAttempt puts the attempt into a cookie. It has to come along when the issuer sends the
// browser back, so it is Lax.
func (s *SignIn) setAttempt(w http.ResponseWriter, at site, a *attempt) error {
	value, err := s.sealed(attemptPurpose, a)
	if err == nil {
		s.set(w, at.attemptCookie, value, at, http.SameSiteLaxMode, int(attemptLife.Seconds()))
	}
	return err
}

func (s *SignIn) attempt(r *http.Request, at site) (attempt, bool) {
	var a attempt
	ok := s.open(r, at.attemptCookie, attemptPurpose, &a) && a.State != "" && s.config.Now().Unix() < a.Until
	return a, ok
}

// sealed returns a value as a cookie has it. It opens for this purpose and this client of
// this issuer alone.
func (s *SignIn) sealed(purpose uuid.UUID, value any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	box, err := s.config.Keys.Seal(s.binding(purpose), []string{string(text)})
	return base64.RawURLEncoding.EncodeToString([]byte(box)), err
}

func (s *SignIn) binding(purpose uuid.UUID) uuid.UUID {
	return uuid.NewSHA1(purpose, []byte(s.config.Issuer+"\x00"+s.config.ClientID))
}

// open opens the one cookie of a name.
func (s *SignIn) open(r *http.Request, name string, purpose uuid.UUID, into any) bool {
	cookies := r.CookiesNamed(name)
	if len(cookies) != 1 {
		return false
	}
	box, err := base64.RawURLEncoding.DecodeString(cookies[0].Value)
	if err != nil {
		return false
	}
	texts, err := s.config.Keys.Open(s.binding(purpose), string(box))
	return err == nil && len(texts) == 1 && decode([]byte(texts[0]), into)
}

func (s *SignIn) set(w http.ResponseWriter, name, value string, at site, sameSite http.SameSite, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge, Secure: at.secure, HttpOnly: true, SameSite: sameSite,
	})
}

func (s *SignIn) clear(w http.ResponseWriter, name string, at site, sameSite http.SameSite) {
	s.set(w, name, "", at, sameSite, -1)
}

func decode(text []byte, into any) bool { return json.Unmarshal(text, into) == nil }

// randomText returns 256 random bits.
func randomText() string {
	var random [32]byte
	rand.Read(random[:])
	return base64.RawURLEncoding.EncodeToString(random[:])
}

// same compares a secret without telling by its time how much of it was right.
func same(given, want string) bool {
	return want != "" && subtle.ConstantTimeCompare([]byte(given), []byte(want)) == 1
}
