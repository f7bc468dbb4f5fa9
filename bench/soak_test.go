package main

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSoak is too short to tell whether anything grows. That no request is lost or
// refused holds however short it is, and on a busy machine, too.
func TestSoak(t *testing.T) {
	inCheckout(t, "redis-server", "make")
	var out bytes.Buffer
	err := run(t.Context(), []string{"soak", "-duration", "2s", "-reloads", "4"}, &out)
	if wrong := withoutGrowth(err); wrong != nil {
		t.Errorf("%v in\n%s", wrong, &out)
	}
	if !strings.Contains(out.String(), "4 reloads") || !strings.Contains(out.String(), "| goroutines ") {
		t.Errorf("it prints\n%s", &out)
	}
}

// withoutGrowth returns what is wrong beside that something has grown.
func withoutGrowth(err error) error {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	return errors.Join(slices.DeleteFunc(slices.Clone(all), func(err error) bool { return errors.As(err, new(grown)) })...)
}

// TestJudge: the soak fails where something grew beyond its bound, or a request was not
// answered as it should be, and says what.
func TestJudge(t *testing.T) {
	// Ten of each, so that a tenth is one; what is between is none of its business.
	during := func(first, last reading) (all []reading) {
		for range 9 {
			all = append(all, first)
		}
		return append(all, last)
	}
	const mib = 1 << 20
	start := reading{100 * mib, 20 * mib, 100, 100, 3}
	bounds := reading{141 * mib, 46 * mib, 175, 175, 5}
	good := clientTotals{sent: 1000}
	for _, c := range []struct {
		name     string
		readings []reading
		traffic  clientTotals
		want     string // of the error
	}{
		{"nothing grew", during(start, start), good, ""},
		{"all at their bounds", during(start, bounds), good, ""},
		{"all shrank", during(bounds, start), good, ""},
		{"resident memory", during(start, reading{142 * mib, 20 * mib, 100, 100, 3}), good, "grown: resident memory, MiB"},
		{"heap", during(start, reading{100 * mib, 47 * mib, 100, 100, 3}), good, "grown: heap, MiB"},
		{"goroutines", during(start, reading{100 * mib, 20 * mib, 176, 100, 3}), good, "grown: goroutines"},
		{"files", during(start, reading{100 * mib, 20 * mib, 100, 176, 3}), good, "grown: open files"},
		{"connections", during(start, reading{100 * mib, 20 * mib, 100, 100, 6}), good, "grown: Redis clients"},
		{"two", during(start, reading{100 * mib, 20 * mib, 176, 176, 3}), good, "grown: goroutines\ngrown: open files"},
		{"lost", during(start, start), clientTotals{sent: 1000, lost: 1, reasons: []string{"EOF"}}, "1 requests failed: EOF"},
		{"refused", during(start, start), clientTotals{sent: 1000, refused: 2, reasons: []string{"status 503", "status 401", "status 503"}}, "2 requests failed: status 401; status 503"},
		{"nothing was sent", during(start, start), clientTotals{}, "no request was sent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := judge(io.Discard, time.Minute, c.readings, c.traffic, 1)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("it says %q, want %q", got, c.want)
			}
			if lenient := withoutGrowth(err); (lenient == nil) != (c.want == "" || strings.HasPrefix(c.want, "grown")) {
				t.Errorf("without growth it says %v", lenient)
			}
		})
	}
	var out bytes.Buffer
	judge(&out, time.Minute, during(start, reading{100 * mib, 20 * mib, 176, 100, 3}), good, 1)
	for _, want := range []string{
		"10 reloads, 1000 requests, of which 0 were answered otherwise than 200 and 0 not at all; the express lane served 1.",
		"| goroutines           | 100         | 176        | 175   | **missed** |",
		"| open files           | 100         | 100        | 175   | met        |",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
}
