package ext4

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

// tool returns the path of a program of e2fsprogs, or skips the test.
func tool(t testing.TB, name string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/sbin") {
		if p := filepath.Join(dir, name); dir != "" && isFile(p) {
			return p
		}
	}
	t.Skipf("NOT TESTED: %s is not installed (package e2fsprogs)", name)
	return ""
}

func isFile(p string) bool {
	st, err := os.Stat(p)
	return err == nil && st.Mode().IsRegular()
}

// output runs a program and returns what it prints.
func output(t testing.TB, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(tool(t, name), args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC", "PAGER=cat", "DEBUGFS_PAGER=cat")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if name == "mke2fs" && strings.Contains(stderr.String(), "Invalid filesystem option set") {
		t.Skipf("NOT TESTED: this mke2fs is too old for %s", strings.Join(args, " "))
	}
	// e2fsck says by its exit code that it changed something.
	if err != nil && name != "e2fsck" {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// debugfs runs requests that only read, and returns what each printed.
func debugfs(t testing.TB, image string, requests ...string) []string {
	t.Helper()
	return runDebugfs(t, requests, image)
}

// change runs requests that write.
func change(t testing.TB, image string, requests ...string) []string {
	t.Helper()
	return runDebugfs(t, requests, "-w", image)
}

func runDebugfs(t testing.TB, requests []string, args ...string) []string {
	t.Helper()
	script := filepath.Join(t.TempDir(), "requests")
	if err := os.WriteFile(script, []byte(strings.Join(requests, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := output(t, "debugfs", append([]string{"-f", script}, args...)...)
	parts := regexp.MustCompile(`(?m)^debugfs: .*\n`).Split("\n"+out, -1)
	if len(parts) != len(requests)+1 {
		t.Fatalf("debugfs answered %d of %d requests: %s", len(parts)-1, len(requests), out)
	}
	return parts[1:]
}

// numbers parses all decimal numbers in a text.
func numbers(s string) (out []uint64) {
	for _, f := range regexp.MustCompile(`\d+`).FindAllString(s, -1) {
		n, _ := strconv.ParseUint(f, 10, 64)
		out = append(out, n)
	}
	return out
}

// recipe is a filesystem to make.
type recipe struct {
	name string
	size string   // as mke2fs takes it
	args []string // of mke2fs
	// indexed has e2fsck build directory indexes.
	indexed bool
	journal bool
}

var recipes = []recipe{
	{"ext4-1k", "24M", words("-t ext4 -b 1024"), true, true},
	{"ext4-4k", "64M", words("-t ext4 -b 4096 -g 4096"), true, true},
	{"ext4-64k", "160M", words("-t ext4 -b 65536 -J size=64"), false, true},
	{"ext4-orphan-file", "24M", words("-t ext4 -b 1024 -O orphan_file,quota"), false, true},
	{"ext4-32bit-nosum", "24M", words("-t ext4 -b 1024 -O ^64bit,^metadata_csum,uninit_bg"), true, true},
	{"ext4-noflex-128", "24M", words("-t ext4 -b 1024 -I 128 -O ^flex_bg,^64bit,^resize_inode"), false, true},
	{"ext4-seed", "24M", words("-t ext4 -b 2048 -O metadata_csum_seed -g 4096"), true, true},
	{"ext4-meta-bg", "24M", words("-t ext4 -b 1024 -g 256 -O meta_bg,^resize_inode,^flex_bg"), false, true},
	{"ext4-meta-bg-flex", "48M", words("-t ext4 -b 1024 -g 512 -O meta_bg,^resize_inode"), false, true},
	{"ext4-super2", "48M", words("-t ext4 -b 1024 -O sparse_super2,^resize_inode"), false, true},
	{"ext4-no-sparse", "48M", words("-t ext4 -b 1024 -O ^sparse_super,^resize_inode"), false, true},
	{"ext4-bigalloc", "64M", words("-t ext4 -b 1024 -C 16384 -O bigalloc"), false, true},
	{"ext3-1k", "24M", words("-t ext3 -b 1024"), true, true},
	{"ext3-2k-128", "48M", words("-t ext3 -b 2048 -g 4096 -I 128"), false, true},
	{"ext2-1k", "24M", words("-t ext2 -b 1024"), false, false},
	{"ext2-4k", "24M", words("-t ext2 -b 4096"), false, false},
}

func words(s string) []string { return strings.Fields(s) }

// make makes the filesystem with something in it, and returns its path.
func (r recipe) make(t testing.TB) string {
	t.Helper()
	return r.makeIn(t, t.TempDir())
}

func (r recipe) makeIn(t testing.TB, dir string) string {
	t.Helper()
	image := filepath.Join(dir, "image")
	args := append([]string{"-q", "-F", "-E", "root_owner=0:0", "-d", population(t)}, r.args...)
	output(t, "mke2fs", append(args, image, r.size)...)
	change(t, image, "ea_set /sub/attributes user.large "+strings.Repeat("x", 700))
	if r.indexed {
		output(t, "e2fsck", "-fyD", image)
	}
	return image
}

// population fills a directory with what makes a filesystem use every kind of
// block: directories of one and many blocks, a file in many pieces, a large
// one, a long symbolic link.
func population(t testing.TB) string {
	dir := filepath.Join(t.TempDir(), "root")
	for _, d := range []string{"sub", "sub/deeper", "many", "empty"} {
		must(t, os.MkdirAll(filepath.Join(dir, d), 0o755))
	}
	for i := range 300 {
		must(t, os.WriteFile(filepath.Join(dir, "many", fmt.Sprintf("a rather long name of a file, number %03d", i)), nil, 0o644))
	}
	must(t, os.WriteFile(filepath.Join(dir, "sub", "attributes"), []byte("text"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "sub", "deeper", "large"), bytes.Repeat([]byte("0123456789abcde\n"), 40<<10), 0o644))
	must(t, os.Symlink(strings.Repeat("long/", 30)+"target", filepath.Join(dir, "sub", "link")))
	must(t, os.Symlink("short", filepath.Join(dir, "sub", "short")))
	f, err := os.Create(filepath.Join(dir, "pieces"))
	must(t, err)
	for i := range int64(20) {
		_, err := f.WriteAt([]byte("piece"), i<<17)
		must(t, err)
	}
	must(t, f.Close())
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// openImage opens a filesystem in a file.
func openImage(t testing.TB, image string) *FS {
	t.Helper()
	src, err := format.Open(image)
	must(t, err)
	t.Cleanup(func() { src.Close() })
	fs, err := Open(src)
	must(t, err)
	return fs
}

// shelf keeps one image of each recipe for all tests, which do not write to them.
var shelf struct {
	dir    string
	images sync.Map // recipe's name to func() string
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "ext4")
	if err != nil {
		panic(err)
	}
	shelf.dir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// kept returns the image of a recipe, made by whoever asks first.
func (r recipe) kept(t testing.TB) string {
	t.Helper()
	made, _ := shelf.images.LoadOrStore(r.name, sync.OnceValue(func() string {
		dir := filepath.Join(shelf.dir, r.name)
		must(t, os.Mkdir(dir, 0o755))
		return r.makeIn(t, dir)
	}))
	image := made.(func() string)()
	if !isFile(image) {
		t.Skipf("NOT TESTED: %s could not be made here", r.name)
	}
	return image
}

// patched is a Source with some bytes replaced.
type patched struct {
	format.Source
	at int64
	b  []byte
}

func (p patched) ReadAt(b []byte, off int64) (int, error) {
	n, err := p.Source.ReadAt(b, off)
	from, to := max(off, p.at), min(off+int64(n), p.at+int64(len(p.b)))
	if from < to {
		copy(b[from-off:to-off], p.b[from-p.at:])
	}
	return n, err
}

// readAll returns n bytes of a source.
func readAll(t testing.TB, src format.Source, at, n int64) []byte {
	t.Helper()
	b := make([]byte, n)
	_, err := src.ReadAt(b, at)
	must(t, err)
	return b
}

// forEach runs a test on each recipe.
func forEach(t *testing.T, test func(t *testing.T, r recipe, image string)) {
	tool(t, "mke2fs")
	tool(t, "debugfs")
	for _, r := range recipes {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			test(t, r, r.kept(t))
		})
	}
}
