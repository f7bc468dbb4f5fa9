package admin

import (
	"encoding/json"
	"net/http"

	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/admin/signin"
)

func newSignIn(config *Config) (*signin.SignIn, error) {
	if config.SignIn == nil {
		return nil, nil
	}
	c := *config.SignIn
	c.Claims, c.Now, c.Log = config.JWT, config.Now, config.Logger
	return signin.New(c)
}

// identify returns who asks: by a bearer token, or by the session of the console where the
// request has none.
func (a *admin) identify(r *http.Request) (bearer.Identity, *bearer.Refusal) {
	authorization := r.Header.Values("Authorization")
	if a.signIn != nil && len(authorization) == 0 {
		if who, present, refusal := a.signIn.Identify(exchangeOf(r.Context()), r); present {
			return who, refusal
		}
	}
	if a.signIn != nil {
		if token, refusal := bearer.TokenIn(authorization); refusal == nil && a.signIn.Takes(token) {
			return a.signIn.Bearer(r.Context(), token)
		}
	}
	return a.verifier.Identify(r.Context(), authorization)
}

// signInPath tells the console and the command line where to sign in. It is for everybody:
// who asks is not signed in yet.
const signInPath = "/console/sign-in"

func (a *admin) serveSignIn(mux *http.ServeMux) {
	mux.HandleFunc("GET "+signInPath, func(w http.ResponseWriter, r *http.Request) {
		public := signin.Public{}
		if a.signIn != nil {
			public = a.signIn.Public()
			_, present, refusal := a.signIn.Identify(w, r)
			public.SignedIn = present && refusal == nil
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", noStore)
		_ = json.NewEncoder(w).Encode(public) // a browser that has gone away
	})
	if a.signIn == nil {
		return
	}
	mux.HandleFunc("GET "+signin.LoginPath, signInPage("consoleLogin", a.signIn.Login))
	mux.HandleFunc("GET "+signin.CallbackPath, signInPage("consoleCallback", a.signIn.Callback))
	mux.HandleFunc("POST "+signin.LogoutPath, func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		x.operation = "consoleLogout"
		if refusal := a.signIn.Logout(w, r); refusal != nil {
			refuseBearer(refusal).write(x)
			return
		}
		w.Header().Set("Cache-Control", noStore)
		w.WriteHeader(http.StatusNoContent)
	})
}

// signInPage serves a step of the sign-in, which people see: a failure is a page, and not a
// problem document.
func signInPage(operation string, step func(http.ResponseWriter, *http.Request) *signin.Failure) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		x.operation = operation
		if r.Method == http.MethodHead { // of whoever looks at a link; it is no attempt
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if failure := step(w, r); failure != nil {
			x.code = failure.Problem.Code
			failure.WriteFailure(w, x.id.String())
		}
	}
}
