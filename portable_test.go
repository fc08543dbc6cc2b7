package advisor_test

import (
	"os"
	"os/exec"
	"testing"
)

// TestPortable builds for the systems that reports are read on, without cgo,
// and for the other architecture that is recorded on.
func TestPortable(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program four times")
	}
	for _, target := range [][2]string{{"darwin", "arm64"}, {"windows", "amd64"}, {"linux", "arm64"}, {"linux", "amd64"}} {
		cmd := exec.Command("go", "build", "-o", os.DevNull, "./cmd/advisor")
		cmd.Env = append(os.Environ(), "GOOS="+target[0], "GOARCH="+target[1], "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s/%s: %v\n%s", target[0], target[1], err, out)
		}
	}
}
