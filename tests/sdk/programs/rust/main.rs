//! Ask STS by the SDK for Rust who I am.

use std::error::Error;
use std::io::{BufRead, Cursor, stdin};
use std::iter::successors;

use aws_config::BehaviorVersion;
use aws_sdk_sts::Client;
use aws_smithy_http_client::Builder;

fn main() -> Result<(), Box<dyn Error>> {
    let lines: Box<dyn BufRead> = match std::env::args().nth(1).as_deref() {
        Some("lines") => Box::new(stdin().lock()),
        _ => Box::new(Cursor::new("\n")),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let loader =
        aws_config::defaults(BehaviorVersion::latest()).http_client(Builder::new().build_http());
    let client = Client::new(&runtime.block_on(loader.load()));
    for line in lines.lines() {
        line?;
        match runtime.block_on(client.get_caller_identity().send()) {
            Ok(caller) => println!("{{\"arn\":\"{}\"}}", caller.arn().unwrap_or_default()),
            Err(error) => {
                let causes = successors(Some(&error as &dyn Error), |&cause| cause.source());
                let causes: Vec<String> = causes.map(ToString::to_string).collect();
                eprintln!("{}", causes.join(": "));
                std::process::exit(1);
            }
        }
    }
    Ok(())
}
