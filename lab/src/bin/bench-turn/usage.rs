//! What a process has used.

use std::{fs, time::Duration};

use anyhow::{Context, Result};

/// CPU time of all threads of a process that live.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let mut total = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let time = text.split(' ').next().context("read schedstat")?;
        total += time.parse::<u64>().context("read schedstat")?;
    }
    Ok(Duration::from_nanos(total))
}

/// Memory of a process that is not swapped or unused, in bytes.
pub(crate) fn resident(pid: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("read VmRSS")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().context("read VmRSS")?;
    Ok(kibibytes * 1024)
}
