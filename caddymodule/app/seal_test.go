package app

import (
	"strings"
	"testing"
)

// TestSealKeys: what is no key does not load, and is not repeated.
func TestSealKeys(t *testing.T) {
	const key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" // 32 bytes
	t.Setenv("HOOKGATE_TEST_SEAL", key)
	t.Setenv("HOOKGATE_TEST_NO_KEY", "bm8ga2V5IGF0IGFsbA==")
	keys, err := (&App{SealKeys: []string{"{env.HOOKGATE_TEST_SEAL}"}}).sealKeys()
	if keys == nil || err != nil {
		t.Errorf("%v, %v", keys, err)
	}
	if keys, err := new(App).sealKeys(); keys != nil || err != nil {
		t.Errorf("none: %v, %v", keys, err)
	}
	for name, texts := range map[string][]string{
		"unresolved": {"{env.HOOKGATE_TEST_UNSET}"},
		"no key":     {"{env.HOOKGATE_TEST_SEAL}", "{env.HOOKGATE_TEST_NO_KEY}"},
		"twice":      {"{env.HOOKGATE_TEST_SEAL}", key},
	} {
		_, err := (&App{SealKeys: texts}).sealKeys()
		if err == nil {
			t.Errorf("%s: it loads", name)
		} else if strings.Contains(err.Error(), "bm8g") || strings.Contains(err.Error(), key) {
			t.Errorf("%s: the key is in the error: %v", name, err)
		}
	}
}
