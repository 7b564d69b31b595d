package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/vexfs/vexctl/internal/filter"
	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/render"
)

// Exit codes. This is the one place that decides them; exitHelp is printed on
// every help page.
const (
	exitDone        = 0
	exitDamage      = 1
	exitFailed      = 2
	exitInterrupted = 130
)

const exitHelp = `Exit codes:
  0    clean, or done
  1    damage found, or recovered with losses
  2    could not do it: usage, unreadable, unknown or unsupported format
  130  interrupted
`

// errDamage ends a command that did its work and found damage.
var errDamage = errors.New("damage found")

// Main runs the command line and returns its exit code.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	out := &sticky{w: stdout}
	root := newRoot(&app{in: stdin, out: out, err: stderr})
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if out.err != nil {
		err = fmt.Errorf("write the output: %w", out.err)
	}
	return exitCode(ctx, err, stderr)
}

// sticky remembers the first failed write, so that a full disk is noticed
// however the text got there.
type sticky struct {
	w   io.Writer
	err error
}

func (s *sticky) Write(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.w.Write(b)
	s.err = err
	return n, err
}

// file returns the file that is written, or nil.
func (s *sticky) file() *os.File {
	f, _ := s.w.(*os.File)
	return f
}

// exitCode maps the error that a command ended with to its exit code, and
// prints it.
func exitCode(ctx context.Context, err error, stderr io.Writer) int {
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errDamage):
		return exitDamage
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		fmt.Fprintln(stderr, "vexctl: interrupted")
		return exitInterrupted
	case errors.Is(err, syscall.EPIPE):
		return exitFailed // the reader of our output went away; it knows
	case filter.IsBad(err):
		prefix := "vexctl: "
		for line := range strings.Lines(err.Error()) {
			fmt.Fprintln(stderr, prefix+render.Plain(strings.TrimSuffix(line, "\n")))
			prefix = ""
		}
	default:
		fmt.Fprintf(stderr, "vexctl: %s\n", render.Plain(err.Error()))
	}
	if hint := format.Hint(err); hint != "" {
		fmt.Fprintf(stderr, "  try: %s\n", render.Plain(hint))
	}
	return exitFailed
}

// usage is an error in how the command was called, with advice.
func usage(hint, what string, args ...any) error {
	return &format.Error{What: fmt.Sprintf(what, args...), Offset: -1, Hint: hint}
}
