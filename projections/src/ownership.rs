//! Which of several processes moves a model's checkpoint: the log's own lease, by the model's name.

pub(crate) use store::checkpoint::lease::{HEARTBEAT, Held, Lease as Ownership};
