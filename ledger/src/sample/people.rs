//! People who do not exist. Surnames say so ("example", "test", "supposed"), e-mail addresses lie in a
//! reserved domain (RFC 2606), and no telephone number in Thailand begins with a zero after +66.

use domain::order::command::{Address, Contact};

use super::{rng::Rng, stores::Region};

const GIVEN_NAMES: [&str; 24] = [
    "สมชาย",
    "สมหญิง",
    "สมศักดิ์",
    "สมศรี",
    "มานี",
    "มานะ",
    "ปิติ",
    "ชูใจ",
    "วีระ",
    "สุดา",
    "อารี",
    "ดวงใจ",
    "Somchai",
    "Suda",
    "Mana",
    "Wira",
    "Nok",
    "Ploy",
    "Chai",
    "Lek",
    "Noi",
    "Fah",
    "Ton",
    "May",
];
const SURNAMES_TH: [&str; 5] = ["ตัวอย่าง", "ทดสอบ", "สมมุติ", "จำลอง", "สาธิต"];
const SURNAMES_EN: [&str; 5] = ["Example", "Tester", "Sample", "Placeholder", "Fictional"];
/// Given names written in Thai: the first of [`GIVEN_NAMES`].
const THAI_NAMES: usize = 12;

/// Somebody who gets goods delivered in a region.
pub(super) fn contact(rng: &mut Rng, region: &Region) -> Contact {
    let given = rng.index(GIVEN_NAMES.len());
    let surname = rng.pick(if given < THAI_NAMES {
        &SURNAMES_TH
    } else {
        &SURNAMES_EN
    });
    let email = rng
        .chance(350)
        .then(|| format!("customer{}@example.com", rng.below(1_000_000)));
    Contact {
        name: Some(format!("{} {surname}", GIVEN_NAMES[given])),
        phone: Some(format!(
            "+66 00 {:03} {:04}",
            rng.below(1_000),
            rng.below(10_000)
        )),
        email,
        address: Some(address(rng, region)),
    }
}

fn address(rng: &mut Rng, region: &Region) -> Address {
    let line1 = format!(
        "{}/{} ซอยสมมุติ {}",
        rng.between(1, 399),
        rng.between(1, 99),
        rng.between(1, 60)
    );
    let line2 = rng
        .chance(300)
        .then(|| format!("อาคารตัวอย่าง ชั้น {}", rng.between(2, 30)));
    Address {
        line1,
        line2,
        line3: None,
        city: Some(region.province.to_owned()),
        state: Some(region.province.to_owned()),
        postal_code: Some(region.postal_code.to_owned()),
        country: Some("TH".to_owned()),
    }
}
