//! Cash handed over and banked.

use super::*;

fn closed_day() -> Remittance {
    let items = [(1, "393"), (2, "328")];
    after(&[
        expect(&items),
        report("R-1", &items),
        RemittanceCommand::Close,
    ])
}

#[test]
fn cash_comes_in_parts() {
    let mut remittance = closed_day();
    assert_eq!(
        run(&mut remittance, &receive("700.25")),
        [RemittanceEvent::CashReceived {
            amount: baht("700.25"),
            remaining: baht("20.75"),
            reference: Some("RC-1".into()),
        }]
    );
    assert_eq!(
        run(&mut remittance, &deposit("700")),
        [RemittanceEvent::Deposited {
            amount: baht("700"),
            remaining: baht("0.25"),
            reference: None,
        }]
    );
    run(&mut remittance, &receive("20.75"));
    run(&mut remittance, &deposit("21"));
    assert_eq!(
        (remittance.owed(), remittance.held()),
        (Money::ZERO, Money::ZERO)
    );
    assert_eq!(
        (remittance.received, remittance.deposited),
        (baht("721"), baht("721"))
    );
    assert_eq!(remittance.status, Closed);
}

#[test]
fn no_more_than_there_is_and_no_fractions() {
    let mut remittance = closed_day();
    for amount in ["0", "-1", "721.01"] {
        assert_eq!(
            refused(&remittance, &receive(amount)),
            invalid("amount"),
            "{amount}"
        );
    }
    assert_eq!(refused(&remittance, &deposit("1")), invalid("amount"));
    run(&mut remittance, &receive("721"));
    assert_eq!(refused(&remittance, &receive("0.01")), invalid("amount"));
    for amount in ["0", "-1", "721.01"] {
        assert_eq!(
            refused(&remittance, &deposit(amount)),
            invalid("amount"),
            "{amount}"
        );
    }
    run(&mut remittance, &deposit("721"));
    assert_eq!(refused(&remittance, &deposit("0.01")), invalid("amount"));
    let long = RemittanceCommand::Receive {
        amount: baht("721.005"),
        reference: Some("x".repeat(51)),
    };
    assert_eq!(
        refused(&remittance, &long),
        [
            invalid("amount"),
            inaccurate("amount"),
            invalid("reference")
        ]
        .concat()
    );
}

#[test]
fn nothing_is_handed_over_before_the_closing() {
    for remittance in [Remittance::default(), after(&the_day())] {
        assert_eq!(refused(&remittance, &receive("1")), impossible());
        assert!(decide(&remittance, &deposit("1")).is_err());
    }
}
