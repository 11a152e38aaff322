//! Which waiting commands go into the next call. No clock, no IO.
//!
//! At most one command per stream, per command id and per claim goes into a batch, because the
//! call checks a batch against what was committed before it, not against itself. The others stay,
//! and nothing overtakes them: a command also waits if it shares a key with one that waits.

use std::collections::{HashSet, VecDeque};

use uuid::Uuid;

use super::size;
use crate::record::Append;

/// Most commands in one call. More does not raise the throughput, only the time each one waits.
pub const MAX_BATCH_COMMANDS: usize = 256;
/// Most events in one call, unless a single command has more.
pub const MAX_BATCH_EVENTS: usize = 1024;
/// Most bytes in one call, unless a single command has more.
pub const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// How many waiting commands one selection looks at: bounds its cost when one stream is hot.
pub(super) const LOOK_AHEAD: usize = 1024;

/// The waiting commands, each with what the caller needs to answer it.
pub struct Batcher<T> {
    waiting: VecDeque<(Append, T)>,
}

impl<T> Default for Batcher<T> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
        }
    }
}

impl<T> Batcher<T> {
    /// Adds a command at the end.
    pub fn push(&mut self, append: Append, context: T) {
        self.waiting.push_back((append, context));
    }

    /// How many commands wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether no command waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes the next batch out. Never empty while a command waits.
    pub fn next_batch(&mut self) -> Vec<(Append, T)> {
        let chosen = self.choose();
        if chosen.iter().all(|&take| take) {
            return self.waiting.drain(..chosen.len()).collect();
        }
        let mut batch = Vec::with_capacity(chosen.len());
        let mut deferred = Vec::new();
        for (&take, entry) in chosen.iter().zip(self.waiting.drain(..chosen.len())) {
            if take {
                batch.push(entry);
            } else {
                deferred.push(entry);
            }
        }
        for entry in deferred.into_iter().rev() {
            self.waiting.push_front(entry);
        }
        batch
    }

    /// For the first commands in the queue: whether it goes into the next batch.
    fn choose(&self) -> Vec<bool> {
        let mut seen = Keys::default();
        let (mut commands, mut events, mut bytes) = (0, 0, 0);
        let mut chosen = Vec::with_capacity(MAX_BATCH_COMMANDS);
        for (append, _) in self.waiting.iter().take(LOOK_AHEAD) {
            // The keys of a command that waits count as seen too, so nothing overtakes it.
            let free = seen.insert_all(append);
            if free {
                events += append.events.len();
                bytes += size(append);
                let fits = events <= MAX_BATCH_EVENTS && bytes <= MAX_BATCH_BYTES;
                if commands > 0 && !fits {
                    break;
                }
                commands += 1;
            }
            chosen.push(free);
            if commands == MAX_BATCH_COMMANDS {
                break;
            }
        }
        chosen
    }
}

#[derive(Default)]
struct Keys<'a> {
    streams: HashSet<(&'a str, &'a str)>,
    commands: HashSet<Uuid>,
    claims: HashSet<(&'a str, &'a str)>,
}

impl<'a> Keys<'a> {
    /// Adds the command's keys; true if none was there. A command may claim a value twice itself.
    fn insert_all(&mut self, append: &'a Append) -> bool {
        let stream = &append.stream;
        let mut free = self
            .streams
            .insert((&stream.aggregate_type, &stream.aggregate_id));
        free &= self.commands.insert(append.command_id);
        free &= append
            .claims
            .iter()
            .all(|c| !self.claims.contains(&(c.scope.as_str(), c.value.as_str())));
        self.claims.extend(
            append
                .claims
                .iter()
                .map(|c| (c.scope.as_str(), c.value.as_str())),
        );
        free
    }
}
