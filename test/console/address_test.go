package console

import "testing"

// TestAddressOfNothing: what is no address of the console says so, and leads back.
func TestAddressOfNothing(t *testing.T) {
	t.Parallel()
	o := newTenant(t)
	p := open(t, gate)
	p.signIn(o.admin())
	for _, hash := range []string{"#/nonsense", "#/credential", "#/credential/%zz", "#/server/1", "#/audit/x/y", "#nonsense", "#/constructor"} {
		p.goTo(hash)
		p.await(hash+" is told apart", "!document.querySelector('#view-unknown').hidden && document.title.startsWith('There is no such page') && document.activeElement.id === 'unknown-title'")
		if shown := eval[int](p, "[...document.querySelectorAll('main > section')].filter((s) => !s.hidden).length"); shown != 1 {
			t.Errorf("%s: %d views", hash, shown)
		}
		p.click("#view-unknown a")
		p.await("there is a way back", "location.hash === '#/credentials' && !document.querySelector('#view-credentials').hidden")
	}
	p.goTo("#/nonsense")
	p.shot("nonsense")
	p.goTo("")
	p.await("no address is the list", "location.hash === '#/credentials' && !document.querySelector('#view-credentials').hidden")
}
