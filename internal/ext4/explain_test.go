package ext4

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vexfs/vexctl/internal/format"
)

// TestStatic compares the type of every block of the filesystem to what
// dumpe2fs says of the groups.
func TestStatic(t *testing.T) {
	forEach(t, func(t *testing.T, r recipe, image string) {
		fs := openImage(t, image)
		want := groupsOf(output(t, "dumpe2fs", image))
		if r.journal {
			for _, b := range numbers(debugfs(t, image, "blocks <8>")[0]) {
				if want[b] == "" {
					want[b] = "journal or its map"
				}
			}
		}
		x := NewExplainer(fs)
		wrong := 0
		for b := range fs.Super.Blocks {
			typ, group := x.Static(b)
			got := fmt.Sprintf("%s of group %d", typ, group)
			switch typ {
			case "journal":
				got = "journal or its map"
			case "unknown":
				got = ""
			}
			if w := want[b]; w != got && (w != "journal or its map" || got != "") {
				if wrong++; wrong < 10 {
					t.Errorf("block %d is %q, dumpe2fs says %q", b, got, w)
				}
			}
		}
		if typ, _ := x.Static(fs.Super.Blocks); typ != "" {
			t.Errorf("the block after the last is %q", typ)
		}
	})
}

// groupsOf parses the groups that dumpe2fs prints.
func groupsOf(s string) map[uint64]string {
	out := map[uint64]string{}
	group := -1
	things := regexp.MustCompile(`(superblock|Group descriptors?|Reserved GDT blocks|Block bitmap|Inode bitmap|Inode table) at (\d+)(?:-(\d+))?`)
	names := map[string]string{"superblock": "superblock", "Group descriptors": "group-descriptors", "Group descriptor": "group-descriptors",
		"Reserved GDT blocks": "reserved-group-descriptors", "Block bitmap": "block-bitmap", "Inode bitmap": "inode-bitmap", "Inode table": "inode-table"}
	for line := range strings.Lines(s) {
		if strings.HasPrefix(line, "Group ") && strings.Contains(line, "(Blocks") {
			group++
		}
		if group < 0 {
			continue
		}
		for _, m := range things.FindAllStringSubmatch(line, -1) {
			from := numbers(m[2])[0]
			to := from
			if m[3] != "" {
				to = numbers(m[3])[0]
			}
			for b := from; b <= to; b++ {
				out[b] = fmt.Sprintf("%s of group %d", names[m[1]], group)
			}
		}
	}
	return out
}

// inodesOf lists the inodes in use, by the names that lead to them.
func inodesOf(t *testing.T, image string) (dirs map[uint64][]string, all []uint64) {
	dirs = map[uint64][]string{}
	queue := []uint64{2}
	seen := map[uint64]bool{2: true}
	for len(queue) > 0 {
		dir := queue[0]
		queue = queue[1:]
		all = append(all, dir)
		names := []string{}
		for line := range strings.Lines(debugfs(t, image, fmt.Sprintf("ls -p <%d>", dir))[0]) {
			p := strings.Split(line, "/")
			if len(p) < 7 || p[5] == "." || p[5] == ".." || p[1] == "0" {
				continue
			}
			ino := numbers(p[1])[0]
			names = append(names, fmt.Sprintf("%s %d", p[5], ino))
			if seen[ino] {
				continue
			}
			seen[ino] = true
			if strings.HasPrefix(p[2], "04") {
				queue = append(queue, ino)
			} else {
				all = append(all, ino)
			}
		}
		dirs[dir] = names
	}
	return dirs, all
}

// TestExplain compares owners, types and names to debugfs.
func TestExplain(t *testing.T) {
	forEach(t, func(t *testing.T, r recipe, image string) {
		fs := openImage(t, image)
		x := NewExplainer(fs)
		check := func(t *testing.T) {
			dirs, all := inodesOf(t, image)
			checkOwners(t, x, image, all)
			for dir, names := range dirs {
				checkNames(t, x, image, dir, names)
			}
		}
		check(t)
		// Again, from what a log that holds all metadata would tell alone.
		x = NewExplainer(fs)
		learnAll(t, x)
		x.scan.Do(func() {})
		t.Run("learned", check)
	})
}

// learnAll shows every block that is wanted, tables first.
func learnAll(t *testing.T, x *Explainer) {
	b := make([]byte, x.s.BlockSize)
	for range 3 {
		for block := range x.s.Blocks {
			if x.Wants(block) && x.fs.readBlock(block, b) == nil {
				x.Learn(block, b)
			}
		}
	}
	if x.Full() {
		t.Error("full")
	}
}

// checkOwners checks each block of each inode.
func checkOwners(t *testing.T, x *Explainer, image string, inodes []uint64) {
	t.Helper()
	var requests []string
	for _, ino := range inodes {
		requests = append(requests, fmt.Sprintf("stat <%d>", ino))
	}
	types := map[string]int{}
	for i, out := range debugfs(t, image, requests...) {
		want := "file-data"
		switch {
		case strings.Contains(out, "Type: directory"):
			want = "directory"
		case strings.Contains(out, "Type: symlink"):
			want = "symlink"
		}
		if _, acl, ok := strings.Cut(out, "File ACL: "); ok && numbers(acl)[0] != 0 {
			types["xattr"] += checkBlock(t, x, numbers(acl)[0], "xattr", inodes[i], -1)
		}
		for _, b := range blocksOf(out) {
			typ := want
			if b.tree != "" {
				typ = b.tree
			}
			types[typ] += checkBlock(t, x, b.block, typ, inodes[i], b.logical)
		}
	}
	if types["directory"] < 5 || types["file-data"] < 30 || types["xattr"] < 1 {
		t.Errorf("too little was checked: %v", types)
	}
	if x.s.BlockSize == 1024 && types["extent-tree"]+types["indirect"] == 0 {
		t.Errorf("no tree was checked: %v", types)
	}
}

// located is a block of a file, as debugfs tells it.
type located struct {
	block   uint64
	logical int64
	tree    string
}

// blocksOf parses the blocks that "stat" of debugfs prints: (0-3):100-103,
// (IND):104, (ETB0):105.
func blocksOf(stat string) (out []located) {
	_, s, found := strings.Cut(stat, "EXTENTS:\n")
	if !found {
		_, s, _ = strings.Cut(stat, "BLOCKS:\n")
	}
	for _, m := range regexp.MustCompile(`\(([^)]*)\):(\d+)(?:-(\d+))?`).FindAllStringSubmatch(s, -1) {
		from, to := numbers(m[2])[0], numbers(m[2])[0]
		if m[3] != "" {
			to = numbers(m[3])[0]
		}
		for b := from; b <= to; b++ {
			l := located{block: b, logical: -1}
			switch {
			case strings.Contains(m[1], "IND"):
				l.tree = "indirect"
			case strings.HasPrefix(m[1], "ETB"):
				l.tree = "extent-tree"
			default:
				l.logical = int64(numbers(m[1])[0] + b - from)
			}
			out = append(out, l)
		}
	}
	return out
}

// checkBlock checks what is said of one block without and with its contents.
func checkBlock(t *testing.T, x *Explainer, block uint64, typ string, ino uint64, logical int64) int {
	t.Helper()
	b := make([]byte, x.s.BlockSize)
	must(t, x.fs.readBlock(block, b))
	for _, payload := range [][]byte{nil, b} {
		var f format.Fields
		x.Explain(&f, block, payload)
		got := f.Text("block_type")
		if got == "directory-index" && payload != nil {
			got = "directory"
		}
		if got != typ || f.Num("inode") != ino || logical >= 0 && f.Num("logical_block") != uint64(logical) {
			t.Errorf("block %d (contents %t): %+v, want %s of inode %d, block %d of it", block, payload != nil, f, typ, ino, logical)
		}
	}
	return 1
}

// checkNames collects the names from the blocks of a directory.
func checkNames(t *testing.T, x *Explainer, image string, dir uint64, want []string) {
	t.Helper()
	var got []string
	parents := 0
	b := make([]byte, x.s.BlockSize)
	for _, l := range blocksOf(debugfs(t, image, fmt.Sprintf("stat <%d>", dir))[0]) {
		if l.tree != "" {
			continue
		}
		must(t, x.fs.readBlock(l.block, b))
		var f format.Fields
		x.Explain(&f, l.block, b)
		names := f.Get("names")
		if f.Get("parent_inode") != nil {
			parents++
		}
		if names == nil {
			continue
		}
		for i, n := range names.T {
			got = append(got, fmt.Sprintf("%s %d", n, f.Get("name_inodes").L[i]))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || parents != 1 {
		t.Errorf("directory %d: %d names, %d of them parents; debugfs lists %d", dir, len(got), parents, len(want))
	}
}

// TestExplainPlaces checks what is said of the blocks that have their place.
func TestExplainPlaces(t *testing.T) {
	forEach(t, func(t *testing.T, r recipe, image string) {
		fs := openImage(t, image)
		x := NewExplainer(fs)
		said := output(t, "dumpe2fs", image)
		free, unset := freeOf(said), uninitialised(said)
		b := make([]byte, fs.Super.BlockSize)
		counted := map[string]int{}
		for block := range fs.Super.Blocks {
			typ, g := x.Static(block)
			if typ == "unknown" || typ == "journal" {
				continue
			}
			must(t, fs.readBlock(block, b))
			var f, bare format.Fields
			x.Explain(&f, block, b)
			x.Explain(&bare, block, nil)
			if f.Text("block_type") != typ || bare.Text("block_type") != typ {
				t.Fatalf("block %d is %s: %+v, %+v", block, typ, f, bare)
			}
			counted[typ]++
			switch ratio := uint64(fs.Super.ClusterSize / fs.Super.BlockSize); typ {
			case "block-bitmap":
				if blocks := min(fs.Super.BlocksPerGroup, fs.Super.Blocks-fs.Super.groupStart(uint64(g))); !unset[g] && f.Num("used") != blocks/ratio-free[g][0] {
					t.Errorf("group %d: %d of %d blocks used, dumpe2fs counts %d free", g, f.Num("used"), blocks, free[g][0])
				}
			case "inode-bitmap":
				if f.Num("used") != uint64(fs.Super.InodesPerGroup)-free[g][1] {
					t.Errorf("group %d: %d inodes used, dumpe2fs counts %d free", g, f.Num("used"), free[g][1])
				}
			case "superblock":
				if f.Num("free_blocks") == 0 || f.Get("write_time") == nil || (g != 0) != (f.Get("backup_of_group") != nil) {
					t.Errorf("superblock of group %d: %+v", g, f)
				}
			case "group-descriptors":
				if f.Num("last_group") < f.Num("first_group") || f.Num("last_group") >= fs.Super.Groups() {
					t.Errorf("descriptors: %+v", f)
				}
			}
		}
		if counted["block-bitmap"] != int(fs.Super.Groups()) {
			t.Errorf("%v", counted)
		}
		checkRoot(t, x)
	})
}

// freeOf parses the free blocks and inodes of the groups, as dumpe2fs counts
// them.
func freeOf(s string) map[uint32][2]uint64 {
	out := map[uint32][2]uint64{}
	for _, m := range regexp.MustCompile(`(\d+) free (?:blocks|clusters), (\d+) free inodes, \d+ directories`).FindAllStringSubmatch(s, -1) {
		out[uint32(len(out))] = [2]uint64{numbers(m[1])[0], numbers(m[2])[0]}
	}
	return out
}

// uninitialised lists the groups whose block bitmap is not on disk yet.
func uninitialised(s string) map[uint32]bool {
	out := map[uint32]bool{}
	for _, m := range regexp.MustCompile(`(?m)^Group (\d+): .*BLOCK_UNINIT`).FindAllStringSubmatch(s, -1) {
		out[uint32(numbers(m[1])[0])] = true
	}
	return out
}

// checkRoot looks for the root directory's inode in the first block of the
// first inode table.
func checkRoot(t *testing.T, x *Explainer) {
	t.Helper()
	_, at, _, _ := x.fs.readInode(2)
	size := int64(x.s.BlockSize)
	b := make([]byte, size)
	must(t, x.fs.readBlock(uint64(at/size), b))
	var f format.Fields
	x.Explain(&f, uint64(at/size), b)
	if f.Num("first_inode") != 1 || f.Num("last_inode") != uint64(size/int64(x.s.InodeSize)) {
		t.Errorf("inodes %d to %d", f.Num("first_inode"), f.Num("last_inode"))
	}
	for _, n := range f.Get("inodes").List {
		if n.Num("inode") == 2 {
			if n.Num("mode") != 40755 || n.Text("type") != "directory" || n.Num("links") < 5 || n.Num("mtime") == 0 || n.Get("inode").At != 0 {
				t.Errorf("the root's inode: %+v", n)
			}
			return
		}
	}
	t.Error("the root's inode is missing")
}

// TestOrphanFile looks at the blocks of the orphan file.
func TestOrphanFile(t *testing.T) {
	r := recipe{size: "24M", args: words("-t ext4 -b 1024 -O orphan_file")}
	image := r.make(t)
	fs := openImage(t, image)
	x := NewExplainer(fs)
	found := 0
	for _, l := range blocksOf(debugfs(t, image, fmt.Sprintf("stat <%d>", fs.Super.OrphanFile))[0]) {
		if l.tree == "" {
			found += checkBlock(t, x, l.block, "orphan-file", uint64(fs.Super.OrphanFile), l.logical)
		}
	}
	if found == 0 {
		t.Error("no block was checked")
	}
}

// TestAttributes lists the names in the block of a file's attributes.
func TestAttributes(t *testing.T) {
	r := recipe{size: "24M", args: words("-t ext4 -b 1024 -I 128")}
	image := r.make(t)
	out := change(t, image, "ea_set /sub/attributes trusted.second value", "ea_set /sub/attributes security.third value", "stat /sub/attributes")
	_, acl, _ := strings.Cut(out[2], "File ACL: ")
	fs := openImage(t, image)
	b := make([]byte, 1024)
	must(t, fs.readBlock(numbers(acl)[0], b))
	var f format.Fields
	NewExplainer(fs).Explain(&f, numbers(acl)[0], b)
	got := f.Get("names").T
	slices.Sort(got)
	if !slices.Equal(got, []string{"security.third", "trusted.second", "user.large"}) || f.Num("refcount") != 1 {
		t.Errorf("%+v", f)
	}
}
