//! What the figures were measured on: they mean little without it.

use std::fs;

/// One line: processor, cores, memory, kernel.
pub(crate) fn described() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let processors = read("/proc/cpuinfo");
    let cores = processors.lines().filter(|line| line.starts_with("processor")).count();
    let memory = field(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
    let memory = memory.trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / (1024 * 1024);
    format!(
        "Machine: {}, {cores} cores, {memory} GiB, Linux {}.",
        field(&processors, "model name").unwrap_or_default(),
        read("/proc/sys/kernel/osrelease").trim(),
    )
}
