package format

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestFlippedBitNamesTheBit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, table := range []*crc32.Table{crc32.IEEETable, crc32.MakeTable(crc32.Castagnoli)} {
		for range 200 {
			b := make([]byte, 1+r.IntN(4096))
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			right := crc32.Checksum(b, table)
			at, bit := r.IntN(len(b)), r.IntN(8)
			b[at] ^= 1 << bit
			gotAt, gotBit := FlippedBit(table, len(b), right^crc32.Checksum(b, table))
			if gotAt != at || gotBit != bit {
				t.Fatalf("%d bytes: bit %d of byte %d was flipped, found bit %d of byte %d", len(b), bit, at, gotBit, gotAt)
			}
		}
	}
}

func TestFlippedBitIsSilentOnOtherDamage(t *testing.T) {
	table := crc32.MakeTable(crc32.Castagnoli)
	b := bytes.Repeat([]byte{7}, 1024)
	right := crc32.Checksum(b, table)
	b[3] ^= 1
	b[900] ^= 4
	if at, _ := FlippedBit(table, len(b), right^crc32.Checksum(b, table)); at >= 0 {
		t.Errorf("two flipped bits were taken for one, at byte %d", at)
	}
	if at, _ := FlippedBit(table, len(b), 0); at >= 0 {
		t.Errorf("no difference was explained by byte %d", at)
	}
}

func TestFlipOfTheStoredSum(t *testing.T) {
	table := crc32.MakeTable(crc32.Castagnoli)
	b := make([]byte, 512)
	right := crc32.Checksum(b, table)
	stored := right ^ 1<<17
	f := (&Fault{Offset: 1000, FlipOffset: -1}).Flip(table, b, 508, binary.BigEndian, right, stored)
	// Bit 17 of a big-endian word is bit 1 of its second byte.
	if f.FlipOffset != 1000+509 || f.FlipBit != 1 {
		t.Errorf("bit %d of byte %d, want bit 1 of byte 1509", f.FlipBit, f.FlipOffset)
	}
}

// pattern is n bytes, each different from its neighbours.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

func TestViewStitchesExtents(t *testing.T) {
	base := NewBytes("base", pattern(10000))
	v := NewView(base, []Extent{{0, 5000, 100}, {100, -1, 50}, {150, 0, 850}}, 1000)
	want := append(append(bytes.Clone(base.b[5000:5100]), make([]byte, 50)...), base.b[:850]...)
	got, err := io.ReadAll(io.NewSectionReader(v, 0, v.Size()))
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("the view reads wrong: %v", err)
	}
	for off := range 1000 {
		place := v.Place(int64(off))
		switch {
		case off >= 100 && off < 150:
			if place != -1 {
				t.Fatalf("byte %d of a hole has a place, %d", off, place)
			}
		case base.b[place] != want[off]:
			t.Fatalf("byte %d is placed at %d, where another byte is", off, place)
		}
	}
	if n := v.NextData(100); n != 150 {
		t.Errorf("the hole at 100 ends at %d, want 150", n)
	}
	if n := Contiguous(v, 20); n != 100 {
		t.Errorf("the first piece ends at %d, want 100", n)
	}
	inner := Section(v, 120, 100)
	if p := inner.Place(40); p != 10 {
		t.Errorf("a view of a view places byte 40 at %d, want 10", p)
	}
	if n := Contiguous(inner, 0); n != 30 {
		t.Errorf("a view of a view has its first piece end at %d, want 30", n)
	}
}

func TestViewBeyondTheBaseIsTruncated(t *testing.T) {
	v := Section(NewBytes("short", pattern(100)), 50, 100)
	b := make([]byte, 100)
	n, err := v.ReadAt(b, 0)
	if n != 50 || !errors.Is(err, ErrTruncated) {
		t.Errorf("read %d bytes, %v; want 50 and a truncation", n, err)
	}
}

func TestContiguousAlwaysGoesForward(t *testing.T) {
	short := NewBytes("short", pattern(100))
	v := NewView(short, []Extent{{0, 50, 100}, {100, 400, 100}, {200, -1, 100}}, 300)
	for off := range int64(400) {
		if end := Contiguous(v, off); end <= off {
			t.Fatalf("from byte %d on one piece ends at %d", off, end)
		}
	}
	if n := Held(v); n != 50 {
		t.Errorf("the file holds %d bytes of the view, want 50", n)
	}
	if n := Held(Section(short, 0, 100)); n != 100 {
		t.Errorf("the file holds %d bytes of all of itself", n)
	}
}

// flaky fails to read some of its bytes.
type flaky struct {
	*Bytes
	bad int64
}

var errSector = errors.New("bad sector")

func (f *flaky) ReadAt(p []byte, off int64) (int, error) {
	if off <= f.bad && f.bad < off+int64(len(p)) {
		return f.Bytes.ReadAt(p[:f.bad-off], off)
	}
	return f.Bytes.ReadAt(p, off)
}

func (f *flaky) fail() *failing { return &failing{f} }

type failing struct{ *flaky }

func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.flaky.ReadAt(p, off)
	if err == nil && n < len(p) {
		err = errSector
	}
	return n, err
}

func TestWindowReadsAroundABadSector(t *testing.T) {
	data := pattern(100 * 512)
	src := (&flaky{NewBytes("disk", data), 10*512 + 17}).fail()
	w := NewWindow(src, 16*512)
	for i := range int64(100) {
		b, err := w.At(i*512, 512)
		if i == 10 {
			if !errors.Is(err, errSector) {
				t.Errorf("the bad sector reads as %d bytes, %v", len(b), err)
			}
			continue
		}
		if err != nil || !bytes.Equal(b, data[i*512:][:512]) {
			t.Fatalf("sector %d: %v", i, err)
		}
	}
	if _, err := w.At(99*512, 1024); !errors.Is(err, ErrTruncated) {
		t.Errorf("beyond the end: %v", err)
	}
}

func TestOpenRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{dir: "a directory", fifo: "a FIFO", "/dev/null": "a character device", filepath.Join(dir, "nothing"): "no such file"} {
		done := make(chan error, 1)
		go func() { _, err := Open(path); done <- err }()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), want) || Hint(err) == "" {
				t.Errorf("%s: %v, want %q and advice", path, err, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("opening %s hangs", path)
		}
	}
}

func TestSparseFileKnowsItsHoles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sparse")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("data"), 1<<30); err != nil {
		t.Fatal(err)
	}
	if at, err := unix.Seek(int(f.Fd()), 0, unix.SEEK_DATA); err != nil || at == 0 {
		t.Skip("this filesystem has no holes to ask for")
	}
	src, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if at := NextData(src, 0); at < 1<<29 || at > 1<<30 {
		t.Errorf("the first data is said to be at %d", at)
	}
	if at := NextData(src, 1<<30+4); at != src.Size() {
		t.Errorf("after the data comes data at %d, want the end, %d", at, src.Size())
	}
}

func TestIsZero(t *testing.T) {
	for n := range 200 {
		b := make([]byte, n)
		if !IsZero(b) {
			t.Fatalf("%d zeros", n)
		}
		for i := range b {
			b[i] = 1
			if IsZero(b) {
				t.Fatalf("%d bytes, byte %d set", n, i)
			}
			b[i] = 0
		}
	}
}

func TestUnixNanoRefusesWhatItCanNotHold(t *testing.T) {
	if ns, ok := UnixNano(1700000000, 5); !ok || ns != 1700000000000000005 {
		t.Errorf("%d, %t", ns, ok)
	}
	for _, sec := range []uint64{1 << 40, 1<<64 - 1, 9223372036} {
		if _, ok := UnixNano(sec, 0); ok {
			t.Errorf("%d seconds fit", sec)
		}
	}
	if _, ok := UnixNano(1, 1e9); ok {
		t.Error("a thousand million nanoseconds are a second")
	}
}
