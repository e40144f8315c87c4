package record

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAddressParts(t *testing.T) {
	for _, tc := range []struct {
		address      Address
		root, name   string
		steps        []string
		parent       Address // "": none
		key          Key     // "": not an instance
		text         string  // of the key
		round        int     // 0: not a round
		safe         string
		wantDigested bool
	}{
		{address: "train", root: "train", name: "train", steps: []string{"train"}, safe: "train"},
		{address: "train[0]", root: "train", name: "train", steps: []string{"train"}, parent: "train", key: "0", text: "0", safe: "train[0]"},
		{address: `train["a"]`, root: "train", name: "train", steps: []string{"train"}, parent: "train", key: `"a"`, text: "a",
			safe: "train[k-ca978112ca1bbdcafac231b39a23dc4d]", wantDigested: true},
		{address: "train#2", root: "train", name: "train", steps: []string{"train"}, parent: "train", round: 2, safe: "train#2"},
		{address: "train[0]#12", root: "train", name: "train", steps: []string{"train"}, parent: "train[0]", round: 12, safe: "train[0]#12"},
		{address: "call.train", root: "call", name: "train", steps: []string{"call", "train"}, parent: "call", safe: "call.train"},
		{address: `c["x.y[#"]#1.t["]\"."]`, root: "c", name: "t", steps: []string{"c", "t"}, parent: `c["x.y[#"]#1.t`, key: `"]\"."`, text: `]".`,
			safe: "c[k-e3a3fd586c0dde4a470b215aca4cb80c]#1.t[k-269e1080f6618795eab26952e32c4a25]", wantDigested: true},
		{address: `t["ä/日本"]`, root: "t", name: "t", steps: []string{"t"}, parent: "t", key: `"ä/日本"`, text: "ä/日本", wantDigested: true},
	} {
		t.Run(string(tc.address), func(t *testing.T) {
			a, err := ParseAddress(string(tc.address))
			if err != nil || a != tc.address {
				t.Fatalf("parsed as %q, %v", a, err)
			}
			if a.Root() != tc.root || a.Name() != tc.name || !slices.Equal(a.Steps(), tc.steps) {
				t.Errorf("root %q, name %q, steps %q", a.Root(), a.Name(), a.Steps())
			}
			if parent, ok := a.Parent(); parent != tc.parent || ok != (tc.parent != "") {
				t.Errorf("parent %q, %v", parent, ok)
			}
			if key, ok := a.Key(); key != tc.key || ok != (tc.key != "") || key.Text() != tc.text {
				t.Errorf("key %q, %v, text %q", key, ok, key.Text())
			}
			if round, ok := a.Round(); round != tc.round || ok != (tc.round != 0) {
				t.Errorf("round %d, %v", round, ok)
			}
			if safe := a.SafeName(); tc.safe != "" && safe != tc.safe {
				t.Errorf("safe name %q, expected %q", safe, tc.safe)
			}
			if Digested(a.SafeName()) != tc.wantDigested {
				t.Errorf("Digested(%q) is %v", a.SafeName(), !tc.wantDigested)
			}
		})
	}
}

func TestAddressMatches(t *testing.T) {
	for pattern, c := range map[string]struct{ yes, no []Address }{
		"fan":          {[]Address{"fan", "fan[0]", `fan["a"].x#1`}, []Address{"fan2", "a.fan"}},
		"fan[1]":       {[]Address{"fan[1]", "fan[1]#2"}, []Address{"fan", "fan[10]", "fan[0]"}},
		"fan[*]":       {[]Address{"fan[0]", `fan["a]b"]`, "fan[2].x"}, []Address{"fan", "fan#1", "fan.x"}},
		"fan[*].train": {[]Address{"fan[0].train", "fan[9].train[1]"}, []Address{"fan[0]", "fan[0].trainer", "fan.train"}},
		"a[*].b[*]#2":  {[]Address{"a[0].b[1]#2", `a["x"].b["y"]#2.c`}, []Address{"a[0].b[1]#21", "a[0].b#2"}},
		`fan["[*]"]`:   {[]Address{`fan["[*]"]`}, []Address{`fan["x"]`}},
		"":             {nil, []Address{"fan"}},
		"[*]":          {nil, []Address{"fan", "fan[0]"}},
	} {
		for _, a := range c.yes {
			if !a.Matches(pattern) {
				t.Errorf("%s does not match %s", a, pattern)
			}
		}
		for _, a := range c.no {
			if a.Matches(pattern) {
				t.Errorf("%s matches %s", a, pattern)
			}
		}
	}
}

func TestParseAddressRejects(t *testing.T) {
	for _, text := range []string{
		"", ".", "[0]", "#1", "a.", "a..b", "a[", "a[]", "a[0", `a["x]`, `a["x"`, "a[x]", "a[-1]", "a[01]", "a[1.5]", `a["\u0061"]`, `a["x" ]`,
		"a#", "a#0", "a#01", "a#x", "a#-1", "a#1#2", "a#1[0]", "a[0][1]", "a[0]b", `a["x"]b`,
	} {
		if a, err := ParseAddress(text); err == nil {
			t.Errorf("%q was parsed as %q", text, a)
		} else if !strings.Contains(err.Error(), "the address ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// drawAddress builds an address as the engine does, with odd keys.
func drawAddress(t *rapid.T) Address {
	name := rapid.StringMatching(`[a-z_][a-zA-Z0-9_-]{0,6}`)
	a := Address(name.Draw(t, "name"))
	for depth := rapid.IntRange(0, 3).Draw(t, "depth"); ; depth-- {
		switch rapid.IntRange(0, 2).Draw(t, "instance") {
		case 1:
			a = a.Instance(Key(rapid.StringMatching(`0|[1-9][0-9]{0,3}`).Draw(t, "index")))
		case 2:
			key := rapid.OneOf(rapid.String(), rapid.StringMatching(`["\\\[\].#/ k-]{0,8}`)).Draw(t, "key")
			a = a.Instance(StringKey(key))
		}
		if rapid.IntRange(0, 2).Draw(t, "loop") == 0 {
			a = a.RoundAt(rapid.IntRange(1, 1000).Draw(t, "round"))
		}
		if depth == 0 {
			return a
		}
		a = a.Child(name.Draw(t, "name"))
	}
}

func TestAddressProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawAddress(t)
		parsed, err := ParseAddress(a.String())
		if err != nil || parsed != a {
			t.Fatalf("%q was parsed as %q: %v", a, parsed, err)
		}
		data, err := json.Marshal(a)
		plain, _ := json.Marshal(string(a))
		var read Address
		if err != nil || string(data) != string(plain) || json.Unmarshal(data, &read) != nil || read != a {
			t.Fatalf("%q is %s as JSON, and is read as %q", a, data, read)
		}
		names := a.Steps()
		if names[0] != a.Root() || names[len(names)-1] != a.Name() || !a.Under(a) || !a.Under(Address(a.Root())) {
			t.Fatalf("%q has root %q, name %q and steps %q", a, a.Root(), a.Name(), names)
		}
		// Each parent can be put back together with what it lacks, and a is under each of them.
		for at := a; ; {
			parent, ok := at.Parent()
			if !ok {
				if string(at) != a.Root() {
					t.Fatalf("%q has no parent, and is not the root of %q", at, a)
				}
				break
			}
			again := parent.Child(at.Name())
			if key, ok := at.Key(); ok {
				again = parent.Instance(key)
			} else if n, ok := at.Round(); ok {
				again = parent.RoundAt(n)
			}
			if again != at || !a.Under(parent) || parent.Under(at) {
				t.Fatalf("%q has parent %q, from which %q is built", at, parent, again)
			}
			at = parent
		}
	})
}

func TestKeyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		if key := StringKey(text); key.Text() != text || !key.valid() {
			t.Fatalf("%q is written as %s and read as %q", text, key, key.Text())
		}
	})
}

func TestSafeNamesDiffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawAddress(t), drawAddress(t)
		safe := a.SafeName()
		if (a == b) != (safe == b.SafeName()) {
			t.Fatalf("%q and %q have the safe names %q and %q", a, b, safe, b.SafeName())
		}
		if len(safe) > maxSafeName || strings.ContainsAny(safe, `"/\`) {
			t.Fatalf("%q has the safe name %q", a, safe)
		}
		if !Digested(safe) && safe != string(a) {
			t.Fatalf("%q has the safe name %q, which holds no digest", a, safe)
		}
	})
}

func TestLongSafeName(t *testing.T) {
	a := Address("a")
	for range 100 {
		a = a.Child("step")
	}
	if safe := a.SafeName(); len(safe) != maxSafeName-40+1+32 || !Digested(safe) || !strings.HasPrefix(safe, "a.step.step.") {
		t.Errorf("the safe name is %q", safe)
	}
}

// FuzzParseAddress reads any text: no method may panic, and what is accepted can be taken apart.
func FuzzParseAddress(f *testing.F) {
	for _, text := range []string{"", "a", "a[0]#1.b", `a["x\"].#"]`, "a[", `a["`, `a["\`, "#", "a#9999999999999999999", "a.b..c"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a := Address(text)
		a.SafeName()
		a.Steps()
		a.Round()
		for at, ok := a, true; ok; at, ok = at.Parent() {
			at.Key()
		}
		parsed, err := ParseAddress(text)
		if err == nil && (parsed != a || a.Name() == "" || a.Root() == "") {
			t.Fatalf("%q was parsed as %q", text, parsed)
		}
	})
}
