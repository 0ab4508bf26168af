//! Video calls between browsers with nobody in between: page, signaling, STUN and TURN in one binary.

#![forbid(unsafe_code)]

mod addresses;
mod app;
mod certificate;
mod channels;
mod circles;
mod cli;
mod config;
mod connections;
mod data_dir;
mod history;
mod host;
mod http;
mod ice;
mod keys;
mod listen;
mod live;
mod log;
mod make;
mod metrics;
mod rates;
mod session;
mod signaling;
mod start_up;
mod stream;
mod tls;
mod token;
mod values;

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

use crate::{
    cli::{Flags, Said},
    config::Config,
    values::Values,
};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let line = format!("{error:#}").replace(['\n', '\r'], " ");
            // Nobody is left to tell where standard error is closed.
            let _ = writeln!(io::stderr(), "visavis: {line}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let flags = match cli::read(env::args_os())? {
        Said::Text(text) => return print(&text),
        Said::Make(make, flags) => return print(&make.run(|| settings(flags))?),
        Said::Run(flags) => flags,
    };
    if flags.print_config {
        let values = Values::collect(flags, env::vars_os())?;
        Config::parse(&values)?;
        return print(&values.print());
    }
    let config = settings(flags.clone())?;
    let notices = log::start(&config.log)?;
    config.warn();
    if !config.limits {
        tracing::warn!("--limits off: no rate limits and no quotas; for load tests only");
    }
    app::run(&config, notices, || settings(flags.clone()))
}

/// The settings that hold now.
fn settings(flags: Flags) -> anyhow::Result<Config> {
    Config::parse(&Values::collect(flags, env::vars_os())?)
}

fn print(text: &str) -> anyhow::Result<()> {
    Ok(io::stdout().write_all(text.as_bytes())?)
}
