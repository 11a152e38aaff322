//! The import itself: read, carry out side by side, write the results in the input's order.

use std::time::Instant;

use domain::actor::Actor;
use futures_util::{StreamExt, stream::FuturesOrdered};
use tokio::io::{AsyncBufRead, AsyncWrite, AsyncWriteExt};

use super::{
    ImportError, MAX_IN_FLIGHT, Options, Orders, Resume,
    carry_out::carry_out,
    reader::Lines,
    result::Summary,
    schedule::{Finished, Schedule, Work},
};
use crate::progress::Progress;

/// Results written before they are flushed while there is more to do.
const FLUSH_EVERY: u64 = 256;

/// Carries out the commands of `input`, one a line, and writes a result for each to `output`, in order. The lines
/// up to `resume` are passed over.
///
/// A line that is no command or is refused gets a result that says so; only an input that cannot be read, an
/// output that cannot be written, or a database that stays out of reach ends the import early.
pub async fn run<O: Orders>(
    orders: &O,
    actor: &Actor,
    input: impl AsyncBufRead + Unpin,
    output: impl AsyncWrite + Unpin,
    resume: Resume,
    options: Options,
    progress: Option<&Progress>,
) -> Result<Summary, ImportError> {
    let started = Instant::now();
    let mut lines = Lines::new(input);
    let mut results = Results {
        output,
        summary: Summary::default(),
        started,
        progress,
    };
    results.summary.skipped = pass_over(&mut lines, resume).await?;
    let in_flight = options.in_flight.clamp(1, MAX_IN_FLIGHT);
    let mut schedule = Schedule::default();
    let mut queue = FuturesOrdered::new();
    let mut held: Option<Work> = None;
    let mut at_end = false;
    while !at_end || held.is_some() || !queue.is_empty() {
        if let Some(work) = held.take_if(|work| schedule.admits(work)) {
            queue.push_back(carry_out(orders, actor, options, schedule.enter(work)));
        }
        let may_read = !at_end && held.is_none() && queue.len() < in_flight;
        tokio::select! {
            biased;
            Some(done) = queue.next(), if !queue.is_empty() => {
                let done: Finished = done;
                schedule.leave(&done);
                results.write(done).await?;
            }
            line = lines.next(), if may_read => match line.map_err(ImportError::Read)? {
                Some(line) => held = Some(Work::of(line)),
                None => at_end = true,
            },
            else => break,
        }
        if queue.is_empty() {
            results.flush().await?;
        }
    }
    results.summary.elapsed = started.elapsed();
    Ok(results.summary)
}

/// Passes over the lines that have a result, and makes sure that the last one is the one the result is of.
async fn pass_over<R: AsyncBufRead + Unpin>(
    lines: &mut Lines<R>,
    resume: Resume,
) -> Result<u64, ImportError> {
    let mut skipped = 0;
    let mut last = 0;
    while last < resume.after_line {
        let other = ImportError::OtherInput {
            line: resume.after_line,
        };
        let Some(line) = lines.next().await.map_err(ImportError::Read)? else {
            return Err(other);
        };
        (last, skipped) = (line.number, skipped + 1);
        if last < resume.after_line {
            continue;
        }
        let command_id = match Work::of(line).line {
            Ok(line) => Some(line.command_id),
            Err(error) => error.command_id,
        };
        if last > resume.after_line || command_id != resume.command_id {
            return Err(other);
        }
    }
    Ok(skipped)
}

/// Writes the results and counts them.
struct Results<'a, W> {
    output: W,
    summary: Summary,
    started: Instant,
    progress: Option<&'a Progress>,
}

impl<W: AsyncWrite + Unpin> Results<'_, W> {
    async fn write(&mut self, finished: Finished) -> Result<(), ImportError> {
        let result = match finished.result {
            Ok(result) => result,
            Err(error) => {
                self.flush().await?;
                return Err(ImportError::Unreachable {
                    line: finished.number,
                    problem: error.to_string(),
                });
            }
        };
        let mut text = serde_json::to_vec(&result).map_err(|e| ImportError::Write(e.into()))?;
        text.push(b'\n');
        self.output
            .write_all(&text)
            .await
            .map_err(ImportError::Write)?;
        self.summary.count(result.outcome);
        if self.summary.lines().is_multiple_of(FLUSH_EVERY) {
            self.flush().await?;
        }
        if let Some(progress) = self.progress {
            let lines = self.summary.lines();
            let per_second = u128::from(lines) * 1_000 / self.started.elapsed().as_millis().max(1);
            progress.label(format!("importing, {lines} lines, {per_second}/s"));
            progress.reach(finished.end);
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), ImportError> {
        self.output.flush().await.map_err(ImportError::Write)
    }
}
