package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newMan(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the man pages into a directory",
		Long: `Write a man page for every command into DIR, which is created if need be.
They are made from the same texts as the help pages.`,
		Example: "  vexctl man ./man\n  man ./man/vexctl-verify.1",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			if err := doc.GenManTree(root, &doc.GenManHeader{Title: "VEXCTL", Section: "1", Source: "vexctl", Manual: "vexctl"}, args[0]); err != nil {
				return err
			}
			fmt.Fprintln(a.err, "man pages written to", args[0])
			return nil
		},
	}
}
