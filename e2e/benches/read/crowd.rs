//! Many who ask at once, each as soon as it is answered.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use e2e::{Client, Target};
use hdrhistogram::Histogram;
use serde_json::Value;

/// How long `clients` waited for each answer, in microseconds, during `time`. `question` is asked for the operation and
/// the variables of the n-th request of all.
pub(crate) async fn ask<Q>(
    target: &Target,
    clients: usize,
    time: Duration,
    question: Q,
) -> Histogram<u64>
where
    Q: Fn(usize) -> (String, Value) + Send + Sync + 'static,
{
    let (asked, question) = (Arc::new(AtomicUsize::new(0)), Arc::new(question));
    // A second to come up to speed, not counted.
    let from = Instant::now() + Duration::from_secs(1);
    let until = from + time;
    let mut callers = Vec::new();
    for _ in 0..clients {
        let mut client = Client::connect(target).await.unwrap();
        let (asked, question) = (Arc::clone(&asked), Arc::clone(&question));
        callers.push(tokio::spawn(async move {
            let mut latencies = Histogram::<u64>::new(3).unwrap();
            while Instant::now() < until {
                let (query, variables) = question(asked.fetch_add(1, Ordering::Relaxed));
                let started = Instant::now();
                client.graphql(&query, &variables).await.unwrap();
                if started >= from {
                    let micros = started.elapsed().as_micros() as u64;
                    latencies.record(micros).unwrap();
                }
            }
            latencies
        }));
    }
    let mut all = Histogram::<u64>::new(3).unwrap();
    for caller in callers {
        all.add(caller.await.unwrap()).unwrap();
    }
    all
}
