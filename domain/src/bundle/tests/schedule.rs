//! Where and when a bundle is offered.

use super::*;

fn offer(definition: Definition) -> Offer {
    Offer {
        id: BundleId::new("SET").unwrap(),
        version: 1,
        active: true,
        definition,
    }
}

fn store(id: &str) -> StoreId {
    StoreId::new(id).unwrap()
}

/// `2026-03-13 22:30` by Bangkok's clock: a Friday.
fn at(bangkok: &str) -> chrono::DateTime<chrono::Utc> {
    let (day, time) = bangkok.split_once(' ').unwrap();
    format!("{day}T{time}:00+07:00").parse().unwrap()
}

#[test]
fn a_retired_bundle_is_not_offered() {
    let mut retired = offer(breakfast());
    assert_eq!(
        retired.offered(&store("CFR029"), at("2026-03-13 12:00")),
        Offered::Yes
    );
    retired.active = false;
    retired.definition.stores = vec![store("CFR001")];
    assert_eq!(
        retired.offered(&store("CFR029"), at("2026-03-13 12:00")),
        Offered::Retired
    );
}

#[test]
fn some_bundles_are_offered_at_some_stores_only() {
    let mut local = offer(breakfast());
    local.definition.stores = vec![store("CFR001"), store("CFR029")];
    assert_eq!(
        local.offered(&store("CFR029"), at("2026-03-13 12:00")),
        Offered::Yes
    );
    assert_eq!(
        local.offered(&store("CFR002"), at("2026-03-13 12:00")),
        Offered::NotHere
    );
}

#[test]
fn the_schedule_is_read_by_bangkoks_clock() {
    let (first, end) = (at("2026-03-13 06:00"), at("2026-03-20 06:00"));
    let season = Schedule {
        from: Some(first),
        until: Some(end),
        ..Schedule::default()
    };
    let weekend = Schedule {
        weekdays: vec![6, 7],
        ..Schedule::default()
    };
    let hours = |from, to, weekdays: &[u8]| Schedule {
        hours: Some(DailyHours { from, to }),
        weekdays: weekdays.to_vec(),
        ..Schedule::default()
    };
    let morning = hours(6 * 60, 10 * 60 + 30, &[]);
    let friday_night = hours(22 * 60, 2 * 60, &[5]);
    let until_midnight = hours(22 * 60, 0, &[7]);
    let never = hours(600, 600, &[]);
    for (schedule, time, expected) in [
        (&Schedule::default(), "2026-03-13 03:00", true),
        (&season, "2026-03-13 05:59", false),
        (&season, "2026-03-13 06:00", true),
        (&season, "2026-03-20 05:59", true),
        (&season, "2026-03-20 06:00", false),
        // In UTC it is Friday still.
        (&weekend, "2026-03-14 00:00", true),
        (&weekend, "2026-03-13 23:59", false),
        (&weekend, "2026-03-15 23:59", true),
        (&weekend, "2026-03-16 00:00", false),
        (&morning, "2026-03-13 05:59", false),
        (&morning, "2026-03-13 06:00", true),
        (&morning, "2026-03-13 10:29", true),
        (&morning, "2026-03-13 10:30", false),
        (&friday_night, "2026-03-13 21:59", false),
        (&friday_night, "2026-03-13 22:00", true),
        (&friday_night, "2026-03-14 01:59", true),
        (&friday_night, "2026-03-14 02:00", false),
        (&friday_night, "2026-03-14 22:00", false),
        (&friday_night, "2026-03-13 01:00", false),
        // Sunday's night runs into Monday, Monday's into nothing.
        (&until_midnight, "2026-03-15 23:59", true),
        (&until_midnight, "2026-03-16 00:00", false),
        (&until_midnight, "2026-03-16 23:00", false),
        (&never, "2026-03-13 10:00", false),
    ] {
        assert_eq!(schedule.covers(at(time)), expected, "{time} {schedule:?}");
        let mut set = offer(breakfast());
        set.definition.schedule = schedule.clone();
        let offered = set.offered(&store("CFR029"), at(time));
        assert_eq!(offered == Offered::NotNow, !expected, "{time} {schedule:?}");
    }
}
