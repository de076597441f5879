// Ask STS by the SDK for JavaScript who I am.
import { createInterface } from "node:readline";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const sts = new STSClient({});
const lines = process.argv[2] === "lines" ? createInterface({ input: process.stdin }) : [""];
for await (const _ of lines) {
  const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
  console.log(JSON.stringify({ arn: Arn }));
}
