//! The `strata` program; see the library of this package for all of it.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    strata_cli::main()
}
