//! Progress for people: on standard error, on a terminal only, and only for what takes long.

use std::borrow::Cow;
use std::io::IsTerminal;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use store::Position;

/// What is over sooner is not worth a bar.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often the bar moves by itself.
const TICK: Duration = Duration::from_millis(120);

/// One thing in work. Dropping it clears the bar.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    // Dropped with us; the waiting thread sees that and ends.
    _shown_later: Option<Sender<()>>,
}

impl Progress {
    /// Starts; `total` is how many steps there are, where that is known.
    pub fn start(label: impl Into<Cow<'static, str>>, total: Option<u64>) -> Self {
        let hidden = ProgressDrawTarget::hidden();
        let bar = ProgressBar::with_draw_target(total, hidden).with_message(label);
        let template = match total {
            Some(_) => "{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}",
            None => "{spinner} {msg} {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let shown_later = std::io::stderr()
            .is_terminal()
            .then(|| show_later(bar.clone()));
        Self {
            bar,
            _shown_later: shown_later,
        }
    }

    /// Some steps more are done.
    pub fn advance(&self, steps: u64) {
        self.bar.inc(steps);
    }

    /// So many steps are done.
    pub fn reach(&self, steps: u64) {
        self.bar.set_position(steps);
    }

    /// There are so many steps.
    pub fn expect_total(&self, total: u64) {
        self.bar.set_length(total);
    }

    /// The log is worked through up to here, of so much.
    pub fn at(&self, position: Position, head: Position) {
        self.expect_total(head.0.unsigned_abs());
        self.reach(position.0.unsigned_abs());
    }

    /// Another label.
    pub fn label(&self, label: impl Into<Cow<'static, str>>) {
        self.bar.set_message(label);
    }

    /// Says something above the bar.
    pub fn note(&self, text: &str) {
        self.bar.println(text);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Shows the bar after a while, unless it is over by then.
fn show_later(bar: ProgressBar) -> Sender<()> {
    let (over, wait) = channel::<()>();
    std::thread::spawn(move || {
        if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.enable_steady_tick(TICK);
        }
    });
    over
}
