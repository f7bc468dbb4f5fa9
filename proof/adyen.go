package proof

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// OwnAdyenItems is Adyen's standard notification: each item of the body has a signature of eight of
// its own fields. adyen-node, src/utils/hmacValidator.ts.
const OwnAdyenItems = "adyen-items"

// maxAdyenItems is above the six that Adyen sends at most.
const maxAdyenItems = 32

type adyenBody struct {
	Items []struct {
		Item adyenItem `json:"NotificationRequestItem"`
	} `json:"notificationItems"`
}

type adyenItem struct {
	PSPReference        string `json:"pspReference"`
	OriginalReference   string `json:"originalReference"`
	MerchantAccountCode string `json:"merchantAccountCode"`
	MerchantReference   string `json:"merchantReference"`
	Amount              struct {
		Value    jsontext.Value `json:"value"`
		Currency string         `json:"currency"`
	} `json:"amount"`
	EventCode      string            `json:"eventCode"`
	Success        string            `json:"success"`
	AdditionalData map[string]string `json:"additionalData"`
}

// signed returns the bytes that are signed. The fields are joined without escapes, so only the one that
// a merchant chooses may have a colon in it: with two such fields text could move from one to the other.
func (i *adyenItem) signed() (string, bool) {
	value := string(i.Amount.Value)
	if value == "" || value == "null" {
		value = ""
	} else if _, err := strconv.ParseInt(value, 10, 64); err != nil {
		return "", false
	}
	for _, field := range []string{i.PSPReference, i.OriginalReference, i.MerchantAccountCode, i.Amount.Currency, i.EventCode, i.Success} {
		if strings.Contains(field, ":") {
			return "", false
		}
	}
	return strings.Join([]string{
		i.PSPReference, i.OriginalReference, i.MerchantAccountCode, i.MerchantReference,
		value, i.Amount.Currency, i.EventCode, i.Success,
	}, ":"), true
}

// adyenItems reads the items of a body. Duplicate names do not parse: the signature covers what one
// reader finds, and the upstream is another one.
func adyenItems(body []byte) ([]adyenItem, Result) {
	var parsed adyenBody
	if json.Unmarshal(body, &parsed) != nil || len(parsed.Items) > maxAdyenItems {
		return nil, Malformed
	}
	if len(parsed.Items) == 0 {
		return nil, Missing
	}
	items := make([]adyenItem, len(parsed.Items))
	for i := range parsed.Items {
		items[i] = parsed.Items[i].Item
	}
	return items, OK
}

// verifyAdyen judges every item: one that is not signed would be believed beside one that is.
func (v *Verifier) verifyAdyen(m *Message) Result {
	items, result := adyenItems(m.Body)
	if result != OK {
		return result
	}
	type claim struct {
		signed    signedBytes
		signature []byte
	}
	claims := make([]claim, len(items))
	for i := range items {
		signed, ok := items[i].signed()
		text := items[i].AdditionalData["hmacSignature"]
		if text == "" {
			return Missing
		}
		signature, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
		if !ok || err != nil || len(signature) != v.algorithm.size {
			return Malformed
		}
		claims[i] = claim{signedBytes{[][]byte{[]byte(signed)}}, signature}
	}
	return v.live(m.Arrived, func(key key) bool {
		all := true
		for i := range claims {
			found := reading{signatures: [][]byte{claims[i].signature}}
			all = found.hasSum(pooledSum(key.states, &claims[i].signed)) && all
		}
		return all
	})
}

// adyenEvent is of all signed fields of all items.
func adyenEvent(m *Message) string {
	items, _ := adyenItems(m.Body)
	pieces := make([][]byte, 0, 2*len(items))
	for i := range items {
		signed, _ := items[i].signed()
		pieces = append(pieces, []byte(signed), []byte{'\n'})
	}
	return fingerprint(pieces...)
}

// signAdyen puts a signature into every item of a body.
func signAdyen(key, body []byte) ([]byte, error) {
	items, result := adyenItems(body)
	if result != OK {
		return nil, invalid("body", "it has no notificationItems of Adyen's standard notification")
	}
	for i := range items {
		signed, ok := items[i].signed()
		if !ok {
			return nil, invalid("body", "a field of an item cannot be signed")
		}
		text := signedBytes{[][]byte{[]byte(signed)}}
		signature := base64.StdEncoding.EncodeToString(algorithms["hmac-sha256"].sum(key, &text))
		at := []string{"notificationItems", strconv.Itoa(i), "NotificationRequestItem", "additionalData", "hmacSignature"}
		var err error
		if body, err = setInBody(body, at, signature); err != nil {
			return nil, err
		}
	}
	return body, nil
}
