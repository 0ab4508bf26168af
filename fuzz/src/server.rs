//! The whole server and clients that know the password: whatever they send, whatever peers send, and whatever time it is.

mod client;
mod promises;
mod shell;
mod step;

use arbitrary::{Arbitrary, Unstructured};

use shell::Shell;
pub(crate) use shell::{Limited, stranger};
use step::Step;

/// Steps of one run: enough to fill every table of an allocation under small limits.
const MOST_STEPS: usize = 256;

/// Takes `data` as the limits of a server and a sequence of steps.
pub fn server(data: &[u8]) {
    let mut source = Unstructured::new(data);
    let Ok(limited) = Limited::arbitrary(&mut source) else { return };
    let mut shell = Shell::new(limited);
    for _ in 0..MOST_STEPS {
        if source.is_empty() {
            break;
        }
        let Ok(step) = Step::arbitrary(&mut source) else { break };
        shell.play(step);
    }
    shell.end();
}
