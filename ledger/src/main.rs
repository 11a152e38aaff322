//! The `ledger` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    ledger::cmd::main()
}
