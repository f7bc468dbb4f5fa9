package credential

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Limits of what a credential may carry to verify its senders with. All of it is in every
// keyring.
const (
	MaxVerifySecrets = 4
	// MaxSecretLength is in bytes: more than the PEM of an RSA key of 4096 bits.
	MaxSecretLength = 2048
	// MaxSchemeLength is in bytes of JSON.
	MaxSchemeLength = 2048
)

// Verify is how the senders of a credential prove themselves, beyond its token.
type Verify struct {
	// Scheme is the name of a preset, or a scheme as a JSON object.
	Scheme string
	// Sealed are the secrets, as package seal makes it; with the one before the last
	// change behind them where there is a GraceUntil. "" once the credential is revoked.
	Sealed string
	// Secrets is how many there are, the one before not counted.
	Secrets   int
	ChangedAt time.Time
	// GraceUntil is until when the secret before the last change verifies, too; zero where
	// there is none.
	GraceUntil time.Time
}

// ProofSeen is when a proof last had a result.
type ProofSeen struct {
	Result string
	At     time.Time
}

// VerifySpec is a Verify to be made.
type VerifySpec struct {
	Scheme  string
	Secrets []string
}

// Validate reports what is wrong with it, as far as its size goes.
func (v *VerifySpec) Validate() error {
	switch {
	case v.Scheme == "" || len(v.Scheme) > MaxSchemeLength:
		return fmt.Errorf("%w: a scheme has 1 to %d bytes", ErrInvalid, MaxSchemeLength)
	case len(v.Secrets) == 0 || len(v.Secrets) > MaxVerifySecrets:
		return fmt.Errorf("%w: verify takes 1 to %d secrets", ErrInvalid, MaxVerifySecrets)
	}
	for _, secret := range v.Secrets {
		if secret == "" || len(secret) > MaxSecretLength {
			return fmt.Errorf("%w: a secret has 1 to %d bytes", ErrInvalid, MaxSecretLength)
		}
	}
	return nil
}

// GraceOpen reports whether the secret before the last change still verifies at now.
func (v *Verify) GraceOpen(now time.Time) bool {
	return v != nil && now.Before(v.GraceUntil)
}

// Encode returns the stored form; "" for nil. The format is append-only.
func (v *Verify) Encode() string {
	if v == nil {
		return ""
	}
	b := make([]byte, 0, 64)
	for _, s := range [...]string{v.Scheme, v.Sealed} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	grace := uint64(0)
	if !v.GraceUntil.IsZero() {
		grace = uint64(v.GraceUntil.UnixMilli())
	}
	for _, n := range [...]uint64{uint64(v.Secrets), uint64(v.ChangedAt.UnixMilli()), grace} {
		b = binary.AppendUvarint(b, n)
	}
	return string(b)
}

// ParseVerify is the inverse of Encode.
func ParseVerify(text string) (*Verify, error) {
	if text == "" {
		return nil, nil
	}
	v, rest := new(Verify), []byte(text)
	number := func() uint64 {
		n, size := binary.Uvarint(rest)
		if size <= 0 {
			rest = nil
			return 0
		}
		rest = rest[size:]
		return n
	}
	for _, s := range [...]*string{&v.Scheme, &v.Sealed} {
		length := number()
		if length > uint64(len(rest)) {
			return nil, ErrCorrupt
		}
		*s, rest = string(rest[:length]), rest[length:]
	}
	v.Secrets = int(number())
	changed := number()
	if len(rest) == 0 {
		return nil, ErrCorrupt // cut off: the last number is still to come
	}
	v.ChangedAt = StoredTime(int64(changed))
	if grace := number(); grace != 0 {
		v.GraceUntil = StoredTime(int64(grace))
	}
	if rest == nil || v.Scheme == "" || v.Secrets < 0 || v.Secrets > MaxVerifySecrets {
		return nil, ErrCorrupt
	}
	return v, nil
}
