package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// login is what the command login keeps. The JWT is for one server, and is sent to no
// other.
type login struct {
	Server string `json:"server"`
	Token  string `json:"token"`
}

const loginFile = "login.json"

func loginPath() (string, error) {
	home, err := os.UserConfigDir()
	if err != nil {
		return "", errors.New("there is no directory to keep the sign-in in: set XDG_CONFIG_HOME or HOME")
	}
	return filepath.Join(home, "hookgate", loginFile), nil
}

// keepLogin writes the file anew, with mode 0600 and through no link.
func keepLogin(l login) error {
	path, err := loginPath()
	if err != nil {
		return err
	}
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), loginFile+".*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// readLogin returns what was kept; nothing where nobody is signed in.
func readLogin() (login, error) {
	var l login
	path, err := loginPath()
	if err != nil {
		return l, nil // nobody's: a service without a home
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return l, nil
	case err != nil:
		return l, err
	}
	if json.Unmarshal(text, &l) != nil { // its error would quote the file
		return l, fmt.Errorf("%s is not what login writes: sign in again", path)
	}
	return l, nil
}

func forgetLogin() error {
	path, err := loginPath()
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
