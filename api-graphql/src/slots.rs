//! How many streams are open, or reads wait, in all and per token.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::limits::{MAX_FEED_STREAMS, MAX_FEED_STREAMS_PER_TOKEN};

/// The streams that are open, by token.
#[derive(Debug)]
pub(crate) struct Slots {
    open: Mutex<HashMap<[u8; 32], usize>>,
    /// The metric that shows how many there are.
    gauge: &'static str,
    /// What is counted, for the caller: `streams are open`.
    what: &'static str,
}

/// One open stream. Dropping it makes room for another.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<Slots>,
    token: [u8; 32],
}

impl Slots {
    /// None yet.
    pub(crate) fn new(gauge: &'static str, what: &'static str) -> Arc<Self> {
        Arc::new(Self {
            open: Mutex::default(),
            gauge,
            what,
        })
    }

    /// A place for one more stream.
    ///
    /// # Errors
    /// Which bound is reached, in words for the caller.
    pub(crate) fn take(self: &Arc<Self>, token: [u8; 32]) -> Result<Slot, String> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.values().sum::<usize>() >= MAX_FEED_STREAMS {
            return Err(format!("{MAX_FEED_STREAMS} {}", self.what));
        }
        let own = open.entry(token).or_default();
        if *own >= MAX_FEED_STREAMS_PER_TOKEN {
            return Err(format!(
                "{MAX_FEED_STREAMS_PER_TOKEN} {} with this token",
                self.what
            ));
        }
        *own += 1;
        drop(open);
        metrics::gauge!(self.gauge).increment(1.0);
        Ok(Slot {
            slots: Arc::clone(self),
            token,
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self
            .slots
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.token) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                open.remove(&self.token);
            }
        }
        drop(open);
        metrics::gauge!(self.slots.gauge).decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_so_many_streams_and_all_together_so_many() {
        let slots = Slots::new("test_slots", "streams are open");
        let mut held: Vec<Slot> = (0..MAX_FEED_STREAMS_PER_TOKEN)
            .map(|_| slots.take([0; 32]).unwrap())
            .collect();
        assert!(slots.take([0; 32]).unwrap_err().contains("this token"));
        for n in 1..=u8::MAX {
            while held.len() < MAX_FEED_STREAMS {
                match slots.take([n; 32]) {
                    Ok(slot) => held.push(slot),
                    Err(_) => break,
                }
            }
        }
        assert_eq!(held.len(), MAX_FEED_STREAMS);
        assert!(slots.take([u8::MAX; 32]).is_err());
        drop(held);
        assert!(slots.take([0; 32]).is_ok());
        assert!(
            slots.open.lock().unwrap().is_empty(),
            "nothing is kept of closed streams"
        );
    }
}
