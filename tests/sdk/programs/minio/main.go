// List a bucket by minio-go, whose credentials are found as restic finds them: the S3 of tests/sdk/s3.py calls the one key
// as its caller.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

func main() {
	var lines io.Reader = strings.NewReader("\n")
	if len(os.Args) > 1 && os.Args[1] == "lines" {
		lines = os.Stdin
	}
	if err := run(context.Background(), lines); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, lines io.Reader) error {
	endpoint, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL_S3"))
	if err != nil {
		return err
	}
	providers := []credentials.Provider{
		&credentials.EnvAWS{},
		&credentials.EnvMinio{},
		&credentials.FileAWSCredentials{},
		&credentials.FileMinioClient{},
	}
	if os.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI") != "" { // else it would ask the metadata service of an instance
		providers = append(providers, &credentials.IAM{})
	}
	chain := credentials.NewChainCredentials(providers)
	client, err := minio.New(endpoint.Host, &minio.Options{Creds: chain, Region: region()})
	if err != nil {
		return err
	}
	for scanner := bufio.NewScanner(lines); scanner.Scan(); {
		for object := range client.ListObjects(ctx, "whoami", minio.ListObjectsOptions{}) {
			if object.Err != nil {
				return object.Err
			}
			if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"access_key_id": object.Key}); err != nil {
				return err
			}
		}
	}
	return nil
}

// region is the one that the config file names: minio-go does not look there, its users have to say it.
func region() string {
	text, _ := os.ReadFile(filepath.Join(os.Getenv("HOME"), ".aws", "config"))
	found := regexp.MustCompile(`(?m)^region = (\S+)`).FindSubmatch(text)
	if found == nil {
		return "us-west-2"
	}
	return string(found[1])
}
