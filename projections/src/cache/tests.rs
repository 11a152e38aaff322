use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::changes::Change;

/// Reads that say how many there were.
#[derive(Default)]
struct Reads(AtomicI64);

impl Reads {
    /// A read of a node that has seen `position`.
    async fn read(&self, position: i64) -> Result<Answer<i64>, ReadError> {
        tokio::task::yield_now().await;
        let value = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        let position = Position(position);
        Ok(Answer { value, position })
    }

    fn count(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

fn cache() -> (Cache, Touched) {
    let touched = Touched::default();
    touched.begin(Position(10));
    let back_end = BackEnd::Memory { bytes: 1 << 20 };
    (Cache::new(&back_end, touched.clone()).unwrap(), touched)
}

fn happened(touched: &Touched, position: i64, store: &str) {
    touched.look(&[Change {
        position: Position(position),
        aggregate_type: "order".to_owned(),
        aggregate_id: "1".to_owned(),
        store_id: Some(store.to_owned()),
    }]);
}

fn question<'a>(stores: Option<&[String]>, asked: &'a str) -> Question<'a, &'a str> {
    Question {
        order: None,
        name: "test",
        models: &[Model::Metrics],
        stores: stores.map(<[String]>::to_vec),
        asked,
        at_least: Position::START,
    }
}

#[test]
fn what_is_kept_is_of_stores_that_the_caller_may_see() {
    let within = |stores: Option<&[&str]>, scope: &StoreScope| {
        let stores: Option<Vec<String>> =
            stores.map(|stores| stores.iter().map(ToString::to_string).collect());
        question(stores.as_deref(), "a").within(scope)
    };
    let key = |question: &Question<'_, &str>| question.key(Position(10), "");
    let id = |text: &str| StoreId::new(text).unwrap();
    let own = StoreScope::Only(vec![id("CFR002"), id("CFR001")]);
    let forgetful = within(None, &own);
    // A query that forgot its condition asks about the caller's stores all the same, and is answered of them.
    assert_eq!(
        forgetful.scope(),
        StoreScope::Only(vec![id("CFR001"), id("CFR002")])
    );
    let chains = within(None, &StoreScope::All);
    assert_eq!(chains.scope(), StoreScope::All);
    assert_ne!(key(&forgetful), key(&chains));
    let narrowed = within(Some(&["CFR001", "CFR003"]), &own);
    assert_eq!(narrowed.scope(), StoreScope::Only(vec![id("CFR001")]));
    // Who may see more shares the answer about the same store.
    let shared = within(Some(&["CFR001"]), &StoreScope::All);
    assert_eq!(key(&narrowed), key(&shared));
    let none = within(None, &StoreScope::Only(Vec::new()));
    assert_eq!(none.scope(), StoreScope::Only(Vec::new()));
}

#[tokio::test]
async fn an_answer_is_kept_until_something_happens_to_its_stores() {
    let (cache, touched) = cache();
    let reads = Reads::default();
    let one = ["CFR001".to_owned()];
    let ask = async |stores, asked, at| {
        let question = question(stores, asked);
        cache.answer(&question, |_| reads.read(at)).await.unwrap()
    };
    assert_eq!(ask(Some(&one), "a", 10).await, 1);
    assert_eq!(ask(Some(&one), "a", 10).await, 1, "kept");
    assert_eq!(ask(Some(&one), "b", 10).await, 2, "another question");
    assert_eq!(ask(None, "a", 10).await, 3, "of all stores");

    happened(&touched, 11, "CFR002");
    assert_eq!(ask(Some(&one), "a", 11).await, 1, "of another store");
    assert_eq!(ask(None, "a", 11).await, 4, "of any store");

    happened(&touched, 12, "CFR001");
    assert_eq!(ask(Some(&one), "a", 12).await, 5, "of this store");
    assert_eq!(ask(Some(&one), "a", 12).await, 5);
}

#[tokio::test]
async fn an_answer_of_a_node_that_is_behind_is_given_and_not_kept() {
    let (cache, touched) = cache();
    let reads = Reads::default();
    happened(&touched, 20, "CFR001");
    let question = question(None, "a");
    for expected in 1..=2 {
        let answer = cache.answer(&question, |_| reads.read(19)).await;
        assert_eq!(answer.unwrap(), expected);
    }
    for _ in 0..2 {
        let answer = cache.answer(&question, |_| reads.read(20)).await;
        assert_eq!(answer.unwrap(), 3);
    }
}

#[tokio::test]
async fn whoever_demands_more_than_is_known_reads() {
    let (cache, touched) = cache();
    let reads = Reads::default();
    let fresh = Question {
        at_least: Position(11),
        ..question(None, "a")
    };
    for expected in 1..=2 {
        let answer = cache.answer(&fresh, |_| reads.read(11)).await;
        assert_eq!(answer.unwrap(), expected);
    }
    happened(&touched, 11, "CFR001");
    for _ in 0..2 {
        let answer = cache.answer(&fresh, |_| reads.read(11)).await;
        assert_eq!(answer.unwrap(), 3);
    }
}

#[tokio::test]
async fn of_those_who_ask_the_same_at_once_one_reads() {
    let (cache, _) = cache();
    let (cache, reads) = (Arc::new(cache), Arc::new(Reads::default()));
    let asked = (0..50).map(|_| {
        let (cache, reads) = (Arc::clone(&cache), Arc::clone(&reads));
        tokio::spawn(async move {
            let question = question(None, "a");
            cache.answer(&question, |_| reads.read(10)).await.unwrap()
        })
    });
    for answer in asked.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap(), 1);
    }
    assert_eq!(reads.count(), 1);
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    let (cache, _) = cache();
    let reads = Reads::default();
    let question = question(None, "a");
    let failing = |_| async { Err::<Answer<i64>, _>(ReadError::TooMuch { max: 7 }) };
    let failed = cache.answer(&question, failing).await;
    assert!(matches!(failed, Err(ReadError::TooMuch { max: 7 })));
    assert_eq!(
        cache.answer(&question, |_| reads.read(10)).await.unwrap(),
        1
    );
}

#[tokio::test]
async fn without_a_back_end_everybody_reads() {
    let cache = Cache::new(&BackEnd::None, Touched::default()).unwrap();
    let reads = Reads::default();
    let question = question(None, "a");
    for expected in 1..=3 {
        let answer = cache.answer(&question, |_| reads.read(10)).await;
        assert_eq!(answer.unwrap(), expected);
    }
}

#[tokio::test]
async fn who_joins_a_read_is_not_given_less_than_it_demands() {
    let (cache, touched) = cache();
    happened(&touched, 20, "CFR001");
    let (reads, held) = (Reads::default(), tokio::sync::Semaphore::new(0));
    let plain = question(None, "a");
    let fresh = Question {
        at_least: Position(20),
        ..question(None, "a")
    };
    // One reads where 20 is not shown yet; two join: one takes what comes, one demands 20, which its own node shows.
    let slow = cache.answer(&plain, |_| async {
        let _turn = held.acquire().await;
        reads.read(19).await
    });
    let joins = cache.answer(&plain, |_| reads.read(20));
    let demands = cache.answer(&fresh, |_| reads.read(20));
    let lets_go = async {
        tokio::task::yield_now().await;
        held.add_permits(1);
    };
    let (slow, joined, demanded, ()) = tokio::join!(slow, joins, demands, lets_go);
    assert_eq!(
        (slow.unwrap(), joined.unwrap(), demanded.unwrap()),
        (1, 1, 2)
    );
}

#[tokio::test]
async fn who_joins_a_read_that_fails_reads() {
    let (cache, _) = cache();
    let (reads, held) = (Reads::default(), tokio::sync::Semaphore::new(0));
    let question = question(None, "a");
    let failing = cache.answer(&question, |_| async {
        let _turn = held.acquire().await;
        Err::<Answer<i64>, _>(ReadError::TooMuch { max: 7 })
    });
    let joins = cache.answer(&question, |_| reads.read(10));
    let lets_go = async {
        tokio::task::yield_now().await;
        held.add_permits(1);
    };
    let (failed, joined, ()) = tokio::join!(failing, joins, lets_go);
    assert!(matches!(failed, Err(ReadError::TooMuch { max: 7 })));
    assert_eq!(joined.unwrap(), 1);
}
