// Package mount is the home of the journaled FUSE filesystem, and the only
// package that may import go-fuse.
//
// There is no code here yet.
package mount
