//! The kinds of entities that take commands here.

use domain::{bundle::Bundle, intake::Intake, order::Order, remittance::Remittance, store::Store};

use super::{bundle, command::Topic, intake, order, problem::ProblemCode, remittance, store};

macro_rules! topics {
    ($($entity:ty: $field:literal, $unknown:ident, $view:ty $(, $fields:path)?;)+) => {
        $(
            impl Topic for $entity {
                const ID_FIELD: &'static str = $field;
                const UNKNOWN: ProblemCode = ProblemCode::$unknown;
                type View = $view;
                $(
                    fn field(path: &str) -> &str {
                        $fields(path)
                    }
                )?
            }
        )+
    };
}

topics! {
    Order: "orderId", OrderNotFound, order::Order;
    Bundle: "bundleId", BundleNotFound, bundle::Bundle, bundle::input::field;
    Store: "storeId", StoreNotFound, store::Store;
    Remittance: "remittanceId", RemittanceNotFound, remittance::Remittance;
    Intake: "deadLetterId", DeadLetterNotFound, intake::DeadLetter, intake::mutation::field;
}
