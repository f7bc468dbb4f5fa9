// Package console uses the operator console as people do: a headless Chromium loads
// the page from a hookgate that runs as a process, and the tests press its keys and
// buttons. What they mint is then used against the guard.
//
// Every test leaves screenshots in screenshots, which Git ignores. Those of the README
// are in docs/images; HOOKGATE_IMAGES=1 makes them anew.
package console
