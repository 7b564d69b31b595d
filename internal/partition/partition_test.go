package partition

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

// tool returns the path of a program, or skips the test.
func tool(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/sbin") {
		if p := filepath.Join(dir, name); dir != "" {
			if st, err := os.Stat(p); err == nil && st.Mode().IsRegular() {
				return p
			}
		}
	}
	t.Skipf("NOT TESTED: %s is not installed", name)
	return ""
}

func run(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(tool(t, name), args...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return string(out)
}

// disk makes a sparse image with what sfdisk makes of a script.
func disk(t *testing.T, script string, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 64<<20); err != nil {
		t.Fatal(err)
	}
	run(t, script, "sfdisk", append(args, "-q", path)...)
	return path
}

func load(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// lines is what the tests compare: number, start and length in bytes, type.
func lines(parts []Partition) (out []string) {
	for _, p := range parts {
		s := fmt.Sprintf("%d %d+%d %s", p.Number, p.Start, p.Length, p.Type)
		if p.Name != "" {
			s += " " + p.Name
		}
		if p.Clipped {
			s += " clipped"
		}
		out = append(out, s)
	}
	return out
}

func expect(t *testing.T, src format.Source, want ...string) {
	t.Helper()
	parts, err := Find(src)
	if err != nil {
		t.Fatal(err)
	}
	if got := lines(parts); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const mbrScript = `label: dos
start=2048, size=8192, type=83
start=10240, size=4096, type=82
start=16384, size=90000, type=f
start=18432, size=10000, type=83
start=30720, size=10000, type=8e
start=43008, size=10000, type=b
`

func TestMBR(t *testing.T) {
	path := disk(t, mbrScript)
	b := load(t, path)
	src := format.NewBytes("disk", b)
	expect(t, src, "1 1048576+4194304 Linux", "2 5242880+2097152 Linux swap", "5 9437184+5120000 Linux",
		"6 15728640+5120000 Linux LVM", "7 22020096+5120000 FAT32")
	parts, _ := Find(src)
	for _, p := range parts {
		if p.Scheme != "mbr" {
			t.Errorf("%+v", p)
		}
	}
	sameAsSfdisk(t, path, parts)
}

// sameAsSfdisk compares to what sfdisk lists.
func sameAsSfdisk(t *testing.T, path string, parts []Partition) {
	t.Helper()
	var said struct {
		Table struct {
			Sectorsize int64
			Partitions []struct {
				Node, Type  string
				Start, Size int64
			}
		} `json:"partitiontable"`
	}
	if err := json.Unmarshal([]byte(run(t, "", "sfdisk", "-J", path)), &said); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	count := 0
	for _, p := range said.Table.Partitions {
		if p.Type != "f" && p.Type != "5" {
			count++
			listed[fmt.Sprintf("%s %d+%d", strings.TrimPrefix(p.Node, path), p.Start*512, p.Size*512)] = true
		}
	}
	for _, p := range parts {
		if !listed[fmt.Sprintf("%d %d+%d", p.Number, p.Start, p.Length)] {
			t.Errorf("sfdisk does not list %+v", p)
		}
	}
	if count != len(parts) {
		t.Errorf("%d partitions, sfdisk lists %d", len(parts), count)
	}
}

// TestChainCycle lets the chain of logical partitions bite its tail.
func TestChainCycle(t *testing.T) {
	b := load(t, disk(t, mbrScript))
	link := func(at int64) []byte { return b[at*512+446+16 : at*512+446+32] }
	second := int64(16384 + le.Uint32(link(16384)[8:]))
	le.PutUint32(link(second)[8:], 0)
	expect(t, format.NewBytes("disk", b), "1 1048576+4194304 Linux", "2 5242880+2097152 Linux swap", "5 9437184+5120000 Linux",
		"6 15728640+5120000 Linux LVM")
}

func TestClipped(t *testing.T) {
	b := load(t, disk(t, mbrScript))[:20<<20]
	expect(t, format.NewBytes("disk", b), "1 1048576+4194304 Linux", "2 5242880+2097152 Linux swap", "5 9437184+5120000 Linux",
		"6 15728640+5120000 Linux LVM")
	expect(t, format.NewBytes("disk", b[:4<<20]), "1 1048576+3145728 Linux clipped", "2 5242880+0 Linux swap clipped")
}

const gptScript = `label: gpt
start=2048, size=8192, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name="boot é"
start=10240, size=40000, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name="root"
start=60000, size=1000, type=11112222-3333-4444-5555-666677778888
`

var gptWant = []string{"1 1048576+4194304 EFI system boot é", "2 5242880+20480000 Linux filesystem root",
	"3 30720000+512000 11112222-3333-4444-5555-666677778888"}

func TestGPT(t *testing.T) {
	path := disk(t, gptScript)
	whole := load(t, path)
	parts, err := Find(format.NewBytes("disk", whole))
	if err != nil {
		t.Fatal(err)
	}
	sameAsSfdisk(t, path, parts)
	last := len(whole)
	for name, hurt := range map[string]func(b []byte){
		"intact":               func([]byte) {},
		"no protective MBR":    func(b []byte) { clear(b[:512]) },
		"no primary header":    func(b []byte) { clear(b[512:1024]) },
		"primary header bad":   func(b []byte) { b[512+48] ^= 1 },
		"primary entries bad":  func(b []byte) { b[1024+40] ^= 1 },
		"no backup":            func(b []byte) { clear(b[last-33*512:]) },
		"no first 17 KiB":      func(b []byte) { clear(b[:17<<10]) },
		"header size absurd":   func(b []byte) { le.PutUint32(b[512+12:], 1<<31) },
		"entry count absurd":   func(b []byte) { le.PutUint32(b[512+80:], 1<<31); sealGPT(b[512:]) },
		"entry size absurd":    func(b []byte) { le.PutUint32(b[512+84:], 3); sealGPT(b[512:]) },
		"entries out of range": func(b []byte) { le.PutUint64(b[512+72:], 1<<63-1); sealGPT(b[512:]) },
	} {
		t.Run(name, func(t *testing.T) {
			b := bytes.Clone(whole)
			hurt(b)
			expect(t, format.NewBytes("disk", b), gptWant...)
		})
	}
	t.Run("cut short", func(t *testing.T) {
		expect(t, format.NewBytes("disk", whole[:20<<20]), gptWant[0], "2 5242880+15728640 Linux filesystem root clipped",
			"3 30720000+0 11112222-3333-4444-5555-666677778888 clipped")
	})
	t.Run("both bad", func(t *testing.T) {
		b := bytes.Clone(whole)
		b[512+48] ^= 1
		b[last-512+48] ^= 1
		if _, err := Find(format.NewBytes("disk", b)); !errors.Is(err, format.ErrCorrupt) || format.Hint(err) == "" {
			t.Errorf("%v", err)
		}
	})
}

func sealGPT(h []byte) {
	clear(h[16:20])
	le.PutUint32(h[16:], crc32.ChecksumIEEE(h[:92]))
}

// TestGPTByGdisk reads what another program writes.
func TestGPTByGdisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(path, make([]byte, 32<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "", "sgdisk", "-o", "-n", "1:2048:+4M", "-t", "1:8300", "-c", "1:data", "-n", "7:0:+8M", "-t", "7:fd00", path)
	expect(t, format.NewBytes("disk", load(t, path)), "1 1048576+4194304 Linux filesystem data", "7 5242880+8388608 Linux RAID")
}

// TestGPT4096 builds a table for sectors of 4096 bytes by hand.
func TestGPT4096(t *testing.T) {
	b := make([]byte, 8<<20)
	b[510], b[511] = 0x55, 0xAA
	copy(b[446:], []byte{0, 0, 0, 0, 0xEE, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff})
	entries := b[2*4096 : 2*4096+4*128]
	copy(entries[128:], "\xAF\x3D\xC6\x0F\x83\x84\x72\x47\x8E\x79\x3D\x69\xD8\x47\x7D\xE4")
	le.PutUint64(entries[128+32:], 256)
	le.PutUint64(entries[128+40:], 511)
	h := b[4096:8192]
	copy(h, "EFI PART\x00\x00\x01\x00")
	le.PutUint32(h[12:], 92)
	le.PutUint64(h[24:], 1)
	le.PutUint64(h[32:], 2047)
	le.PutUint64(h[72:], 2)
	le.PutUint32(h[80:], 4)
	le.PutUint32(h[84:], 128)
	le.PutUint32(h[88:], crc32.ChecksumIEEE(entries))
	sealGPT(h)
	expect(t, format.NewBytes("disk", b), "2 1048576+1048576 Linux filesystem")
}

// TestMBR4096 tells the size of sectors by what begins where.
func TestMBR4096(t *testing.T) {
	b := make([]byte, 8<<20)
	b[510], b[511] = 0x55, 0xAA
	copy(b[446:], []byte{0x80, 0, 0, 0, 0x83, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0})
	expect(t, format.NewBytes("disk", b), "1 131072+262144 Linux")
	le.PutUint16(b[256*4096+1024+0x38:], 0xEF53)
	expect(t, format.NewBytes("disk", b), "1 1048576+2097152 Linux")
}

// TestNoTable: bytes that end in 55 AA and are no table.
func TestNoTable(t *testing.T) {
	code := make([]byte, 1<<20)
	for i := range code[:510] {
		code[i] = byte(i*7 + 13)
	}
	code[510], code[511] = 0x55, 0xAA
	empty := make([]byte, 1<<20)
	empty[510], empty[511] = 0x55, 0xAA
	overlap := bytes.Clone(empty)
	copy(overlap[446:], []byte{0, 0, 0, 0, 0x83, 0, 0, 0, 16, 0, 0, 0, 100, 0, 0, 0})
	copy(overlap[462:], []byte{0, 0, 0, 0, 0x83, 0, 0, 0, 20, 0, 0, 0, 100, 0, 0, 0})
	for name, b := range map[string][]byte{"nothing": nil, "zeros": make([]byte, 1<<20), "program": code, "no entries": empty, "overlap": overlap} {
		if parts, err := Find(format.NewBytes(name, b)); !errors.Is(err, format.ErrUnknownFormat) {
			t.Errorf("%s: %v, %v", name, parts, err)
		}
	}
}

// TestFilesystems: a filesystem without a table has no partitions.
func TestFilesystems(t *testing.T) {
	for _, c := range []struct{ name, args string }{
		{"mkfs.vfat", ""}, {"mkfs.vfat", "-F 32"}, {"mke2fs", "-q -F -t ext4"},
	} {
		t.Run(c.name+c.args, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "image")
			if err := os.WriteFile(path, make([]byte, 40<<20), 0o600); err != nil {
				t.Fatal(err)
			}
			run(t, "", c.name, append(strings.Fields(c.args), path)...)
			if parts, err := Find(format.NewBytes("image", load(t, path))); !errors.Is(err, format.ErrUnknownFormat) {
				t.Errorf("%v, %v", parts, err)
			}
		})
	}
}

// badSource fails to read.
type badSource struct{ format.Source }

var errBad = errors.New("bad sector")

func (badSource) ReadAt([]byte, int64) (int, error) { return 0, errBad }

func TestReadError(t *testing.T) {
	if _, err := Find(badSource{format.NewBytes("disk", make([]byte, 1<<20))}); !errors.Is(err, errBad) {
		t.Errorf("%v", err)
	}
}

func FuzzFind(f *testing.F) {
	b := make([]byte, 4096)
	b[510], b[511] = 0x55, 0xAA
	copy(b[446:], []byte{0, 0, 0, 0, 0x0F, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0})
	f.Add(b)
	g := bytes.Clone(b)
	copy(g[512:], "EFI PART\x00\x00\x01\x00\x5c")
	f.Add(g)
	f.Fuzz(func(t *testing.T, b []byte) {
		parts, err := Find(format.NewBytes("fuzz", b))
		if err != nil && !errors.Is(err, format.ErrUnknownFormat) && !errors.Is(err, format.ErrCorrupt) {
			t.Fatal(err)
		}
		for _, p := range parts {
			if p.Length < 0 || p.Start < 0 || p.Length > 0 && p.Start+p.Length > int64(len(b)) {
				t.Fatalf("%+v in %d bytes", p, len(b))
			}
		}
	})
}
