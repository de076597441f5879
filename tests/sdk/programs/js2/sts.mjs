// Ask STS by the SDK for JavaScript v2 who I am. It knows no AWS_ENDPOINT_URL_STS, and of no role behind a helper.
import { createInterface } from "node:readline";

process.env.AWS_SDK_LOAD_CONFIG = "1"; // else it reads the credentials file alone
process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = "1";
const { default: AWS } = await import("aws-sdk");

const { AWS_ENDPOINT_URL_STS: endpoint, ROLE_ARN: RoleArn } = process.env;
const role = { params: { RoleArn, RoleSessionName: "sdk" }, stsConfig: { endpoint } };
const sts = new AWS.STS({ endpoint, ...(RoleArn && { credentials: new AWS.ChainableTemporaryCredentials(role) }) });
const lines = process.argv[2] === "lines" ? createInterface({ input: process.stdin }) : [""];
for await (const _ of lines) {
  const { Arn } = await sts.getCallerIdentity().promise();
  console.log(JSON.stringify({ arn: Arn }));
}
