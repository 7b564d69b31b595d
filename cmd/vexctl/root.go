package main

import (
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// app is what every command shares: the streams, and nothing else.
type app struct {
	in       io.Reader
	out, err io.Writer
}

// newRoot builds the command tree.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "vexctl",
		Short: "Read, verify and explain filesystem journals",
		Long: `vexctl reads filesystem journals: Linux's jbd2 (every ext3 and ext4 disk has one)
and the block and semantic journals of VexFS.

Point it at a disk image, a block device or a journal dump. It finds the
journal, says what is in it, and checks all that can be checked. It never
changes its input.`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetUsageTemplate(root.UsageTemplate() + "\n" + exitHelp)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage(cmd.CommandPath()+" --help", "%v", err)
	})
	root.AddCommand(newInfo(a), newDecode(a), newVerify(a), newTypes(a), newFormats(a), newMan(a))
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	return root
}

// version is the module's version, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" || v == "(devel)" {
		v = "devel"
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				v += " " + s.Value[:12]
			}
		}
	}
	return v + " " + info.GoVersion
}
