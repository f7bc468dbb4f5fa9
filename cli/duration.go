package cli

import (
	"regexp"
	"strconv"
	"time"
)

var days = regexp.MustCompile(`[0-9.]+d`)

// parseDuration reads a duration as Go writes it, or with days of 24 hours: 90d, 1d12h.
func parseDuration(text string) (time.Duration, error) {
	return time.ParseDuration(days.ReplaceAllStringFunc(text, func(part string) string {
		n, err := strconv.ParseFloat(part[:len(part)-1], 64)
		if err != nil {
			return part // which time.ParseDuration refuses
		}
		return strconv.FormatFloat(n*24, 'f', -1, 64) + "h"
	}))
}

// graceSeconds reads --grace, which is none where it is not given.
func graceSeconds(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	period, err := parseDuration(text)
	if err != nil || period < 0 || period%time.Second != 0 {
		return 0, Usagef("--grace must be a duration in whole seconds, such as 24h")
	}
	return int(period / time.Second), nil
}
