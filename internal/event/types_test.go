package event

import (
	"regexp"
	"testing"
)

func TestTaxonomy(t *testing.T) {
	counts := map[Origin]int{}
	seen := map[string]bool{}
	// A name is two NATS subject tokens.
	token := regexp.MustCompile(`^[a-z]+\.[a-z]+(-[a-z]+)*$`)
	last := Type(0)
	for _, x := range Types() {
		counts[x.Origin]++
		if seen[x.Name] || !token.MatchString(x.Name) {
			t.Errorf("%v: bad or repeated name %q", x.Type, x.Name)
		}
		seen[x.Name] = true
		if x.Type <= last {
			t.Errorf("%s: code %#x is not above %#x", x.Name, uint32(x.Type), uint32(last))
		}
		last = x.Type
		if got, err := ParseType(x.Name); err != nil || got != x.Type {
			t.Errorf("ParseType(%q) = %v, %v", x.Name, got, err)
		}
	}
	if counts[Kernel] != 48 || counts[Userspace] != 12 || counts[Vexctl] != 12 {
		t.Errorf("counts by origin: %v, want kernel 48, userspace 12, vexctl 12", counts)
	}
	for code, name := range map[Type]string{
		0x0101: "fs.create", 0x010C: "fs.hardlink", 0x020A: "graph.query", 0x0308: "vector.embed",
		0x0406: "agent.interaction", 0x0506: "system.optimization", 0x0606: "semantic.link",
		0x0701: "storage.open", 0x070C: "storage.replay-end", 0x080C: "obs.threshold",
	} {
		if code.String() != name {
			t.Errorf("%#x is %s, want %s", uint32(code), code, name)
		}
	}
}

func TestUnknownTypeKeepsItsCode(t *testing.T) {
	for _, code := range []Type{0, 0x010D, 0x0913, 0xFFFFFFFF} {
		if code.Known() {
			t.Errorf("%#x is known", uint32(code))
		}
		if got, err := ParseType(code.String()); err != nil || got != code {
			t.Errorf("ParseType(%q) = %v, %v", code.String(), got, err)
		}
	}
	if _, err := ParseType("fs.nonsense"); err == nil {
		t.Error("no error for a name that does not exist")
	}
}
