// OpenTofu itself, from which build/sdk builds the program; this holds the version, go.sum the hash of it and of the list
// of its modules, and its own go.sum theirs.
module tofu

go 1.24

require github.com/opentofu/opentofu v1.12.6
