//! What holds of every list.

use e2e::Api;
use rand::{Rng, rngs::StdRng};
use serde_json::{Value, json};

use super::{
    List, Part,
    grow::{self, Ids},
};

/// Walks of one list.
const WALKS: usize = 4;
/// Places of one list that are looked at from.
const PLACES: usize = 6;
/// Pages between which something comes.
const GROWS: usize = 3;

fn size(rng: &mut StdRng, len: usize) -> usize {
    rng.random_range(1..=len.min(99) + 1)
}

/// Forward pages of any sizes are the list, and so is what follows any place of it.
pub(super) async fn forward(list: &List, api: &Api, whole: &Part, rng: &mut StdRng) {
    let len = whole.keys.len();
    for _ in 0..WALKS {
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        loop {
            let first = size(rng, len);
            let page = list
                .part(api, &json!({ "first": first, "after": after }))
                .await;
            assert_eq!(page.has_previous, !after.is_null(), "{}", list.name);
            seen.extend(page.keys.clone());
            assert_eq!(page.has_next, seen.len() < len, "{}: {first}", list.name);
            if !page.has_next {
                break;
            }
            assert_eq!(
                page.keys.len(),
                first,
                "{}: short, and not the last",
                list.name
            );
            after = page.cursors[first - 1].clone();
        }
        assert_eq!(seen, whole.keys, "{}", list.name);
    }
    for turn in 0..PLACES {
        // The last place of all among them.
        let at = if turn == 0 {
            len
        } else {
            rng.random_range(1..=len)
        };
        let first = size(rng, len);
        let window = json!({ "first": first, "after": whole.cursors[at - 1] });
        let page = list.part(api, &window).await;
        let end = (at + first).min(len);
        assert_eq!(page.keys, whole.keys[at..end], "{} after {at}", list.name);
        assert_eq!(
            page.cursors,
            whole.cursors[at..end],
            "{} after {at}",
            list.name
        );
        assert_eq!(
            (page.has_previous, page.has_next),
            (true, end < len),
            "{}",
            list.name
        );
    }
}

/// Backward pages of any sizes are the list, in the list's own order, and so is what precedes any place of it.
pub(super) async fn backward(list: &List, api: &Api, whole: &Part, rng: &mut StdRng) {
    let len = whole.keys.len();
    for _ in 0..WALKS {
        let (mut seen, mut before) = (Vec::new(), Value::Null);
        loop {
            let last = size(rng, len);
            let page = list
                .part(api, &json!({ "last": last, "before": before }))
                .await;
            assert_eq!(page.has_next, !before.is_null(), "{}", list.name);
            seen = page.keys.iter().cloned().chain(seen).collect();
            assert_eq!(page.has_previous, seen.len() < len, "{}: {last}", list.name);
            if !page.has_previous {
                break;
            }
            assert_eq!(
                page.keys.len(),
                last,
                "{}: short, and not the first",
                list.name
            );
            before = page.cursors[0].clone();
        }
        assert_eq!(seen, whole.keys, "{}", list.name);
    }
    for turn in 0..PLACES {
        // The first place of all among them.
        let at = if turn == 0 {
            0
        } else {
            rng.random_range(0..len)
        };
        let last = size(rng, len);
        let window = json!({ "last": last, "before": whole.cursors[at] });
        let page = list.part(api, &window).await;
        let start = at.saturating_sub(last);
        assert_eq!(
            page.keys,
            whole.keys[start..at],
            "{} before {at}",
            list.name
        );
        assert_eq!(
            page.cursors,
            whole.cursors[start..at],
            "{} before {at}",
            list.name
        );
        assert_eq!(
            (page.has_previous, page.has_next),
            (start > 0, true),
            "{}",
            list.name
        );
    }
}

/// What comes between two pages is shown or not; what was there is shown once and in its order.
pub(super) async fn growing(list: &List, api: &Api, ids: &Ids, rng: &mut StdRng) {
    let directions = if list.is_backward() { 2 } else { 1 };
    for direction in 0..directions {
        let is_backward = direction == 1;
        let before = list.whole(api).await;
        let (mut pages, mut place) = (Vec::new(), Value::Null);
        for turn in 0.. {
            // At least two, so that the end does not run away.
            let size = rng.random_range(2..=3);
            let window = if is_backward {
                json!({ "last": size, "before": place })
            } else {
                json!({ "first": size, "after": place })
            };
            let page = list.part(api, &window).await;
            if turn < GROWS {
                grow::more(list.grows, api, ids).await;
            }
            let (more, cursor) = if is_backward {
                (page.has_previous, page.cursors.first())
            } else {
                (page.has_next, page.cursors.last())
            };
            place = cursor.cloned().unwrap_or_default();
            pages.push(page.keys);
            if !more {
                break;
            }
        }
        if is_backward {
            pages.reverse();
        }
        assert!(pages.len() > 2, "{}: {} pages", list.name, pages.len());
        let seen: Vec<Value> = pages.concat();
        let kept: Vec<Value> = seen
            .into_iter()
            .filter(|key| before.keys.contains(key))
            .collect();
        assert_eq!(kept, before.keys, "{}, backward: {is_backward}", list.name);
        let now = list.whole(api).await;
        assert!(
            now.keys.len() > before.keys.len(),
            "{}: nothing came",
            list.name
        );
    }
}
