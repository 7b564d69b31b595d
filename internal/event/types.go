package event

import (
	"fmt"
	"strconv"
	"strings"
)

// Type is an event's type: the family in the high byte, the member in the low
// one. Codes and names never change.
type Type uint32

// The families.
const (
	FS       Type = 0x0100
	Graph    Type = 0x0200
	Vector   Type = 0x0300
	Agent    Type = 0x0400
	System   Type = 0x0500
	Semantic Type = 0x0600
	Storage  Type = 0x0700
	Obs      Type = 0x0800
)

// The members that this program gives a meaning of its own.
const (
	FSCreate   = FS + 1
	FSDelete   = FS + 2
	FSRead     = FS + 3
	FSWrite    = FS + 4
	FSRename   = FS + 5
	FSChmod    = FS + 6
	FSChown    = FS + 7
	FSTruncate = FS + 8
	FSMkdir    = FS + 9
	FSRmdir    = FS + 10
	FSSymlink  = FS + 11
	FSHardlink = FS + 12

	SystemMount   = System + 1
	SystemUnmount = System + 2
	SystemSync    = System + 3

	TxBegin = Semantic + 1
	TxEnd   = Semantic + 2
)

// Origin says who defines a type.
type Origin string

const (
	Kernel    Origin = "kernel"    // VexFS's kernel module
	Userspace Origin = "userspace" // VexFS's userspace
	Vexctl    Origin = "vexctl"    // this program: what a journal itself lives through
)

// Family is a row of the taxonomy.
type Family struct {
	Code    Type
	Name    string
	Origin  Origin
	Members []Member
	// Relevance is the family's base score, 0 to 100.
	Relevance int
}

// Member is a type of a family.
type Member struct {
	Name string
	Doc  string
}

// Info describes one type.
type Info struct {
	Type   Type
	Name   string
	Doc    string
	Origin Origin
}

var taxonomy = []Family{
	{FS, "fs", Kernel, []Member{
		{"create", "a file or special file came into being"},
		{"delete", "a name was removed"},
		{"read", "something was read or looked up"},
		{"write", "content or extended attributes changed"},
		{"rename", "an object got another name"},
		{"chmod", "permissions changed"},
		{"chown", "the owner or group changed"},
		{"truncate", "the size was set"},
		{"mkdir", "a directory came into being"},
		{"rmdir", "a directory was removed"},
		{"symlink", "a symbolic link came into being"},
		{"hardlink", "an object got one more name"},
	}, 50},
	{Graph, "graph", Kernel, []Member{
		{"node-create", "a node came into being"},
		{"node-delete", "a node was removed"},
		{"node-update", "a node changed"},
		{"edge-create", "an edge came into being"},
		{"edge-delete", "an edge was removed"},
		{"edge-update", "an edge changed"},
		{"property-set", "a property was set"},
		{"property-delete", "a property was removed"},
		{"traverse", "the graph was walked"},
		{"query", "the graph was queried"},
	}, 90},
	{Vector, "vector", Kernel, []Member{
		{"create", "a vector was stored"},
		{"delete", "a vector was removed"},
		{"update", "a vector changed"},
		{"search", "vectors were searched"},
		{"index", "an index was built or changed"},
		{"similarity", "a similarity was computed"},
		{"cluster", "vectors were clustered"},
		{"embed", "an embedding was made"},
	}, 80},
	{Agent, "agent", Kernel, []Member{
		{"query", "an agent asked"},
		{"reasoning", "an agent reasoned"},
		{"decision", "an agent decided"},
		{"orchestration", "agents were coordinated"},
		{"learning", "an agent learned"},
		{"interaction", "agents or people interacted"},
	}, 80},
	{System, "system", Kernel, []Member{
		{"mount", "a filesystem was mounted"},
		{"unmount", "a filesystem was unmounted"},
		{"sync", "data was forced to disk"},
		{"checkpoint", "a known state was reached"},
		{"recovery", "a recovery ran"},
		{"optimization", "the layout was improved"},
	}, 70},
	{Semantic, "semantic", Kernel, []Member{
		{"tx-begin", "a transaction of several events begins"},
		{"tx-end", "a transaction of several events ends"},
		{"causality-link", "one event was named the cause of another"},
		{"intent-capture", "an intention was stated"},
		{"context-switch", "the context changed"},
		{"link", "two things were related"},
	}, 60},
	{Storage, "storage", Vexctl, []Member{
		{"open", "the journal was opened for writing"},
		{"close", "the journal was closed"},
		{"rotate", "a new segment was begun"},
		{"flush", "the journal was forced to disk"},
		{"compact", "the journal was compacted or pruned"},
		{"checkpoint", "a checkpoint of the tree was made"},
		{"restore", "a state was restored"},
		{"corruption", "damage was found"},
		{"truncate", "a torn tail was cut off"},
		{"repair", "damage was mended"},
		{"replay-start", "a replay began"},
		{"replay-end", "a replay ended"},
	}, 60},
	{Obs, "obs", Userspace, []Member{
		{"metric", "a metric was collected"},
		{"log", "a log line was written"},
		{"span-start", "a trace span began"},
		{"span-end", "a trace span ended"},
		{"alert", "an alert was raised"},
		{"health", "a health check ran"},
		{"counter", "a performance counter was read"},
		{"error", "an error was reported"},
		{"audit", "an audit record was made"},
		{"status", "the system's status was reported"},
		{"resource", "resource usage was reported"},
		{"threshold", "a threshold was crossed"},
	}, 40},
}

var (
	typeNames = map[Type]string{}
	typeCodes = map[string]Type{}
)

func init() {
	for _, t := range Types() {
		typeNames[t.Type] = t.Name
		typeCodes[t.Name] = t.Type
	}
}

// Families returns the taxonomy in code order.
func Families() []Family { return taxonomy }

// Types lists all 72 types in code order.
func Types() []Info {
	var out []Info
	for _, f := range taxonomy {
		for i, m := range f.Members {
			out = append(out, Info{f.Code + Type(i) + 1, f.Name + "." + m.Name, m.Doc, f.Origin})
		}
	}
	return out
}

// String returns the type's name, "fs.write", or its code as hex, "0x0913",
// when the type is unknown.
func (t Type) String() string {
	if s, ok := typeNames[t]; ok {
		return s
	}
	return fmt.Sprintf("0x%04x", uint32(t))
}

// Known reports whether the type is one of the 72.
func (t Type) Known() bool {
	_, ok := typeNames[t]
	return ok
}

// Family returns the row the type belongs to, or nil.
func (t Type) Family() *Family {
	for i := range taxonomy {
		if taxonomy[i].Code == t&^0xff {
			return &taxonomy[i]
		}
	}
	return nil
}

// ParseType is the inverse of [Type.String].
func ParseType(s string) (Type, error) {
	if t, ok := typeCodes[s]; ok {
		return t, nil
	}
	if h, ok := strings.CutPrefix(s, "0x"); ok {
		if v, err := strconv.ParseUint(h, 16, 32); err == nil {
			return Type(v), nil
		}
	}
	return 0, fmt.Errorf("unknown event type %q", s)
}
