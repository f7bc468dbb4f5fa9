package credential

import (
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestTenantSpelling(t *testing.T) {
	tenant := uuid.MustParse("0199d5a4-0000-7000-8000-00000000000a")
	dashed, dashless := tenant.String(), strings.ReplaceAll(tenant.String(), "-", "")
	for _, tc := range []struct {
		text, want string
		bytes      int // that it takes to keep it
	}{
		{dashed, dashed, 0},
		{dashless, dashless, 1},
		{strings.ToUpper(dashed), strings.ToUpper(dashed), 1},
		{strings.ToUpper(dashless), strings.ToUpper(dashless), 1},
		{"0199D5a4-0000-7000-8000-00000000000a", "0199D5a4-0000-7000-8000-00000000000a", 36},
		{"0199d5a4-0000-7000-8000-00000000000b", dashed, 0},
		{"{" + dashed + "}", dashed, 0},
		{"", dashed, 0},
	} {
		spelling := SpellingOf(tc.text, tenant)
		if got := spelling.Of(tenant); got != tc.want || len(spelling) != tc.bytes {
			t.Errorf("%q: kept as %q, spelled %q", tc.text, spelling, got)
		}
	}
	if got := TenantSpelling("0199D5a4-0000-7000-8000-00000000000b").Of(tenant); got != dashed {
		t.Errorf("another tenant's spelling makes it %s", got)
	}
}
