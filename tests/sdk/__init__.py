"""The real SDKs, which nobody here wrote, with a credential_process line. `build/test --sdk` builds and runs them."""
