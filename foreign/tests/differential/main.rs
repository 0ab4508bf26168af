//! The same random packets through our server and `turn-server-proto`. Each difference has its row in `table`; one without a
//! row fails, and so does a row without a difference.

mod differences;
mod invent;
mod outcome;
mod pair;
mod request;
mod rng;
mod servers;
mod table;

use std::env;

use crate::{pair::Pair, rng::Rng, table::DIFFERENCES};

/// What `VISAVIS_DIFFERENTIAL_SEED` changes.
const SEED: u64 = 8656;
/// What `VISAVIS_DIFFERENTIAL_COUNT` changes.
const COUNT: u64 = 120_000;

#[test]
fn every_difference_between_the_servers_is_explained() {
    let number = |name: &str, default| env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let seed = number("VISAVIS_DIFFERENTIAL_SEED", SEED);
    let count = number("VISAVIS_DIFFERENTIAL_COUNT", COUNT);
    let mut counts = vec![0; DIFFERENCES.len()];
    for (is_v4, is_stream) in [(true, false), (false, false), (true, true)] {
        let mut pair = Pair::new(Rng(seed), is_v4, is_stream);
        (0..count / 3).for_each(|_| pair.step());
        let unexplained: Vec<String> =
            pair.unexplained.iter().map(|(kind, example)| format!("{kind}\n{example}")).collect();
        let unexplained = unexplained.join("\n\n");
        assert!(
            unexplained.is_empty(),
            "unexplained differences with seed {seed}, IPv4 {is_v4}, TCP {is_stream}:\n{unexplained}"
        );
        for (what, count) in &pair.kinds {
            assert!(*count > 0, "of {what} nothing was ever seen");
        }
        counts.iter_mut().zip(&pair.counts).for_each(|(sum, count)| *sum += count);
    }
    let report: Vec<String> = DIFFERENCES
        .iter()
        .zip(&counts)
        .map(|(difference, count)| {
            let whose = format!("{:?}", difference.right).to_lowercase();
            format!(
                "{count:7} {} ({}; right: {whose}): {}",
                difference.name, difference.section, difference.why
            )
        })
        .collect();
    let report = report.join("\n");
    // Another seed may have found too little in too short a time.
    let is_usual = seed == SEED && count >= COUNT;
    assert!(!is_usual || !counts.contains(&0), "a difference never occurs any more:\n{report}");
}
