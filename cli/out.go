package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"

	"github.com/spf13/cobra"
)

// OutFlag adds the flag --out, which names a file for what would go to standard output.
func OutFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("out", "", "Write to this new file, which only you can read, and not to standard output")
}

// What is written to the file of --out.
const (
	WholeOnly = false // is of no use in parts
	InParts   = true  // is worth keeping even where the command fails
)

// To calls write with the file of --out, or with standard output where path is "". The file
// is made before write is called: a token that nobody can take is better not minted. It
// has mode 0600, whatever the umask. A file that is there is never written to, and a link
// not followed, which is what O_EXCL says (POSIX open): somebody else may have put
// either there to get at what is written.
//
// Where write fails and has written nothing, or only a part of what is of no use in parts,
// the file is taken away.
func To(cmd *cobra.Command, path string, parts bool, write func(io.Writer) error) error {
	if path == "" {
		return write(cmd.OutOrStdout())
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("--out: %s is there already, and is not overwritten; nothing was asked for", path)
	case err != nil:
		return fmt.Errorf("--out: %w; nothing was asked for", err)
	}
	if err = file.Chmod(0o600); err == nil {
		err = write(file)
	}
	if size, _ := file.Seek(0, io.SeekEnd); err != nil && (size == 0 || !parts) {
		return errors.Join(err, file.Close(), os.Remove(path))
	}
	return errors.Join(err, file.Sync(), file.Close())
}

// warnOfReaders says that everybody on the machine can read a secret.
func warnOfReaders(to io.Writer, file *os.File) {
	info, err := file.Stat()
	if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0 && runtime.GOOS != "windows" {
		fmt.Fprintf(to, "hookgate: warning: %s holds your JWT, and every user of this machine can read it: chmod 600 it\n", printable(file.Name()))
	}
}
