// Ask STS by the SDK for Go v1 who I am.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/sts"
)

func main() {
	var lines io.Reader = strings.NewReader("\n")
	if len(os.Args) > 1 && os.Args[1] == "lines" {
		lines = os.Stdin
	}
	if err := run(lines); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(lines io.Reader) error {
	// It knows no AWS_ENDPOINT_URL_STS, and without being asked to reads the credentials file alone
	endpoint := aws.Config{Endpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL_STS"))}
	found, err := session.NewSessionWithOptions(session.Options{Config: endpoint, SharedConfigState: session.SharedConfigEnable})
	if err != nil {
		return err
	}
	client := sts.New(found)
	for scanner := bufio.NewScanner(lines); scanner.Scan(); {
		caller, err := client.GetCallerIdentity(&sts.GetCallerIdentityInput{})
		if err != nil {
			return err
		}
		if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"arn": *caller.Arn}); err != nil {
			return err
		}
	}
	return nil
}
