//! given / when / then.

mod rules;
mod schedule;

use super::*;
use crate::{
    actor::{Actor, Role as ActorRole, StoreScope},
    ids::Sku,
    money::{Money, Quantity, SCALE},
    refusal::Code,
};

fn baht(text: &str) -> Money {
    text.parse().unwrap()
}

/// Pieces of a product at a price apart.
pub(crate) fn component(sku: &str, pieces: i64, unit_price: &str) -> Component {
    Component {
        sku: Sku::new(sku).unwrap(),
        name_th: None,
        name_en: Some(format!("Product {sku}")),
        quantity: Quantity::from_units(pieces * SCALE),
        unit_price: baht(unit_price),
        role: Role::Main,
        tax_rate: None,
        substitutable: false,
        max_rise: None,
    }
}

/// A bundle that is offered everywhere, always.
pub(crate) fn definition(components: Vec<Component>, pricing: BundleRules) -> Definition {
    Definition {
        sku: Sku::new("SET").unwrap(),
        name_th: None,
        name_en: Some("Set".into()),
        kind: BundleKind::MealDeal,
        components,
        pricing,
        schedule: Schedule::default(),
        stores: Vec::new(),
        priority: 0,
        match_lines: false,
        returns: ReturnPolicy::Whole,
    }
}

/// Products at 45, 39 and 25, sold at 89 together.
pub(crate) fn breakfast() -> Definition {
    let components = vec![
        component("A", 1, "45"),
        component("B", 1, "39"),
        component("C", 1, "25"),
    ];
    let price = baht("89");
    definition(components, BundleRules::FixedPrice { price })
}

fn cheaper() -> Definition {
    let price = baht("79");
    Definition {
        pricing: BundleRules::FixedPrice { price },
        ..breakfast()
    }
}

fn define(definition: Definition) -> BundleCommand {
    BundleCommand::Define { definition }
}

fn revise(definition: Definition) -> BundleCommand {
    BundleCommand::Revise { definition }
}

fn retire(reason: &str) -> BundleCommand {
    let reason = reason.into();
    BundleCommand::Retire { reason }
}

fn decided(bundle: &Bundle, command: &BundleCommand) -> Result<Vec<BundleEvent>, Refusal> {
    let actor = Actor {
        id: "someone".into(),
        role: ActorRole::Ops,
        stores: StoreScope::All,
    };
    bundle.decide(command, &actor, &())
}

fn given(commands: &[BundleCommand]) -> Bundle {
    let mut bundle = Bundle::default();
    for command in commands {
        for event in decided(&bundle, command).unwrap() {
            bundle.apply(&event);
        }
    }
    bundle
}

#[track_caller]
fn refused(bundle: &Bundle, command: &BundleCommand, expected: &[(Code, &str)]) {
    let refusal = decided(bundle, command).unwrap_err();
    let found: Vec<(Code, &str)> = refusal
        .problems
        .iter()
        .map(|p| (p.code, p.path.as_str()))
        .collect();
    assert_eq!(found, expected, "{refusal}");
}

#[test]
fn a_bundle_is_defined_and_offered_at_once() {
    let events = decided(&Bundle::default(), &define(breakfast())).unwrap();
    let definition = breakfast();
    assert_eq!(events, [BundleEvent::Defined { definition }]);
    let bundle = given(&[define(breakfast())]);
    assert!(bundle.exists() && bundle.active);
    assert_eq!(bundle.version, 1);
    assert_eq!((bundle.store_id(), bundle.region()), (None, None));
}

#[test]
fn names_are_stored_clean() {
    let mut untidy = breakfast();
    untidy.name_en = Some(" Set ".into());
    untidy.name_th = Some("undefined".into());
    untidy.components[0].name_en = Some(" Product A".into());
    let events = decided(&Bundle::default(), &define(untidy)).unwrap();
    let definition = breakfast();
    assert_eq!(events, [BundleEvent::Defined { definition }]);
}

#[test]
fn it_is_defined_once() {
    let bundle = given(&[define(breakfast())]);
    assert_eq!(decided(&bundle, &define(breakfast())), Ok(Vec::new()));
    refused(&bundle, &define(cheaper()), &[(Code::BundleExists, "")]);
    let retired = given(&[define(breakfast()), retire("winter is over")]);
    assert_eq!(decided(&retired, &define(breakfast())), Ok(Vec::new()));
    refused(&retired, &define(cheaper()), &[(Code::BundleExists, "")]);
}

#[test]
fn a_revision_is_the_next_version() {
    let bundle = given(&[define(breakfast())]);
    let definition = cheaper();
    let expected = BundleEvent::Revised {
        version: 2,
        definition,
    };
    assert_eq!(decided(&bundle, &revise(cheaper())), Ok(vec![expected]));
    let revised = given(&[define(breakfast()), revise(cheaper())]);
    assert_eq!(revised.version, 2);
    assert_eq!(revised.definition, Some(cheaper()));
    assert_eq!(decided(&revised, &revise(cheaper())), Ok(Vec::new()));
}

#[test]
fn a_retired_bundle_is_revised_and_stays_retired() {
    let commands = [define(breakfast()), retire("winter"), revise(cheaper())];
    let bundle = given(&commands);
    assert!(!bundle.active);
    assert_eq!(bundle.version, 2);
}

#[test]
fn retiring_and_activating() {
    let active = given(&[define(breakfast())]);
    assert_eq!(decided(&active, &BundleCommand::Activate), Ok(Vec::new()));
    for reason in ["", " - ", &"x".repeat(501), "a\u{0}"] {
        refused(&active, &retire(reason), &[(Code::Validation, "reason")]);
    }
    let retired = given(&[define(breakfast()), retire(&"ก".repeat(500))]);
    assert_eq!(retired.retired_reason, Some("ก".repeat(500)));
    assert_eq!(decided(&retired, &retire("again")), Ok(Vec::new()));
    let back = given(&[
        define(breakfast()),
        retire("winter"),
        BundleCommand::Activate,
    ]);
    assert!(back.active);
    assert_eq!(back.retired_reason, None);
}

#[test]
fn it_must_be_defined_first() {
    for command in [revise(breakfast()), BundleCommand::Activate, retire("why")] {
        assert!(!command.creates());
        let expected = [(Code::ErrInvalidTransition, "")];
        refused(&Bundle::default(), &command, &expected);
    }
    assert!(define(breakfast()).creates());
}

#[test]
fn commands_have_names_and_want_permission() {
    let commands = [
        define(breakfast()),
        revise(breakfast()),
        BundleCommand::Activate,
        retire("why"),
    ];
    let names = commands.each_ref().map(BundleCommand::name);
    let expected = [
        "define_bundle",
        "revise_bundle",
        "activate_bundle",
        "retire_bundle",
    ];
    assert_eq!(names, expected);
    for command in commands {
        assert_eq!(command.action(), Action::ManageBundles);
        let json = serde_json::to_string(&command).unwrap();
        assert_eq!(
            serde_json::from_str::<BundleCommand>(&json).unwrap(),
            command
        );
    }
}
