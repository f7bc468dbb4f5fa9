package credential

import (
	"slices"
)

// KindCodes are the kinds in stored values. A kind's position is part of the
// format: append only.
var KindCodes = [...]Kind{KindCallback, KindWebhook, KindAPI}

func KindCode(k Kind) int { return slices.Index(KindCodes[:], k) }
