// Ask STS by the SDK for Go who I am.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
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
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	client := sts.NewFromConfig(loaded)
	for scanner := bufio.NewScanner(lines); scanner.Scan(); {
		caller, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return err
		}
		if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"arn": *caller.Arn}); err != nil {
			return err
		}
	}
	return nil
}
