package caps

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/distribution/reference"

	"advisor/policies"
	"advisor/trace"
)

// Belongs says that the experiment was made with o's workload, else why it is
// taken to be another one. The same image, or the same workload, or the same
// executable where neither side knows an image, is what it takes; another image
// or another executable speaks against it whatever the name.
func (v Verified) Belongs(o policies.Observation) (bool, string) {
	same := v.Workload == o.Workload
	for _, c := range o.Containers {
		image, why := v.image(c)
		if why != "" {
			return false, why
		}
		if v.Command != "" && c.Command != "" && v.Command != c.Command {
			return false, fmt.Sprintf("it was made with the program %s, and %s runs %s", v.Command, o.Workload, c.Command)
		}
		if why := v.otherUser(o.Workload, c); why != "" {
			return false, why
		}
		command := v.Image == "" && c.Image == "" && v.Command != "" && v.Command == c.Command
		same = same || image || command
	}
	if !same {
		return false, fmt.Sprintf("it was made with %s, and this is %s", v.Subject(), o.Workload)
	}
	return true, ""
}

// image says that c is of the image that was run, or why it is not.
func (v Verified) image(c trace.Container) (same bool, why string) {
	if v.Image == "" || c.Image == "" {
		return false, ""
	}
	if imageName(v.Image) != imageName(c.Image) {
		return false, fmt.Sprintf("it was made with the image %s, and the recording is of %s", v.Image, c.Image)
	}
	return true, ""
}

// otherUser says that the command was run as another user than c, to whom other
// capabilities are of use.
func (v Verified) otherUser(w policies.Workload, c trace.Container) string {
	tried, _, _ := strings.Cut(v.User, ",") // supplementary groups are not recorded
	if tried == "" || c.Granted == nil || c.Granted.User == "" || c.Granted.User == tried {
		return ""
	}
	return fmt.Sprintf("it was made as user %s, and %s runs as %s", tried, w, c.Granted.User)
}

// imageName is the image as registries know it: nginx and
// docker.io/library/nginx:latest are one. What is no reference stays.
func imageName(image string) string {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return image
	}
	return reference.TagNameOnly(named).String()
}

// Subject is what was run, in a word.
func (v Verified) Subject() string {
	if v.Image != "" {
		return "the image " + v.Image
	}
	return cmp.Or(v.Command, v.Workload.String())
}
