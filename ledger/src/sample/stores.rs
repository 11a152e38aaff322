//! The sample chain: 25 stores in 5 regions, in Bangkok and in its metropolitan area.

use domain::{
    bundle::DailyHours,
    ids::{InvalidId, RegionId},
    store::Profile,
};

/// Open from seven in the morning to ten at night, in minutes since midnight.
const HOURS: DailyHours = DailyHours {
    from: 420,
    to: 1_320,
};
/// The stores whose staff release orders themselves.
const RELEASED_BY_HAND: [&str; 3] = ["CFR015", "CFR020", "CFR025"];

/// A region of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Its id, as events carry it.
    pub id: &'static str,
    /// The delivery zone: `BKK` or `METRO`.
    pub zone: &'static str,
    /// The province its addresses lie in.
    pub province: &'static str,
    /// A postal code of the province.
    pub postal_code: &'static str,
}

const CENTRAL: Region = Region {
    id: "BKK-CENTRAL",
    zone: "BKK",
    province: "กรุงเทพมหานคร",
    postal_code: "10400",
};
const EAST: Region = Region {
    id: "BKK-EAST",
    zone: "BKK",
    province: "กรุงเทพมหานคร",
    postal_code: "10240",
};
const WEST: Region = Region {
    id: "BKK-WEST",
    zone: "BKK",
    province: "กรุงเทพมหานคร",
    postal_code: "10600",
};
const NORTH: Region = Region {
    id: "METRO-NORTH",
    zone: "METRO",
    province: "นนทบุรี",
    postal_code: "11000",
};
const SOUTH: Region = Region {
    id: "METRO-SOUTH",
    zone: "METRO",
    province: "สมุทรปราการ",
    postal_code: "10270",
};

/// A store of the sample chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Store {
    /// `CFR001` to `CFR025`.
    pub id: &'static str,
    /// Its name in Thai: the place it lies in.
    pub name_th: &'static str,
    /// Its name in English.
    pub name_en: &'static str,
    /// Where it lies.
    pub region: Region,
    /// Its share of the chain's orders: the biggest store has three times the smallest one's.
    pub weight: u32,
}

impl Store {
    /// What the ledger is told of the store.
    ///
    /// # Errors
    /// A region's id has the wrong form.
    pub fn profile(&self) -> Result<Profile, InvalidId> {
        Ok(Profile {
            name: format!("{} ({})", self.name_th, self.name_en),
            region: RegionId::new(self.region.id)?,
            zone: self.region.zone.to_owned(),
            opening: None,
            hours: Some(HOURS),
            cod_limit: None,
            auto_release: !RELEASED_BY_HAND.contains(&self.id),
        })
    }
}

const fn store(
    id: &'static str,
    region: Region,
    weight: u32,
    name_th: &'static str,
    name_en: &'static str,
) -> Store {
    Store {
        id,
        name_th,
        name_en,
        region,
        weight,
    }
}

/// The stores.
pub const STORES: [Store; 25] = [
    store("CFR001", CENTRAL, 30, "สีลม", "Si Lom"),
    store("CFR002", CENTRAL, 29, "อารีย์", "Ari"),
    store("CFR003", CENTRAL, 28, "พญาไท", "Phaya Thai"),
    store("CFR004", CENTRAL, 24, "สาทร", "Sathon"),
    store("CFR005", CENTRAL, 22, "ราชเทวี", "Ratchathewi"),
    store("CFR006", EAST, 27, "อ่อนนุช", "On Nut"),
    store("CFR007", EAST, 25, "บางกะปิ", "Bang Kapi"),
    store("CFR008", EAST, 21, "ลาดพร้าว", "Lat Phrao"),
    store("CFR009", EAST, 18, "รามคำแหง", "Ramkhamhaeng"),
    store("CFR010", EAST, 14, "มีนบุรี", "Min Buri"),
    store("CFR011", WEST, 23, "ปิ่นเกล้า", "Pin Klao"),
    store("CFR012", WEST, 20, "วงเวียนใหญ่", "Wongwian Yai"),
    store("CFR013", WEST, 17, "บางแค", "Bang Khae"),
    store("CFR014", WEST, 15, "ตลิ่งชัน", "Taling Chan"),
    store("CFR015", WEST, 12, "บางขุนเทียน", "Bang Khun Thian"),
    store("CFR016", NORTH, 22, "แคราย", "Khae Rai"),
    store("CFR017", NORTH, 19, "ปากเกร็ด", "Pak Kret"),
    store("CFR018", NORTH, 16, "บางใหญ่", "Bang Yai"),
    store("CFR019", NORTH, 13, "บางบัวทอง", "Bang Bua Thong"),
    store("CFR020", NORTH, 10, "ไทรน้อย", "Sai Noi"),
    store("CFR021", SOUTH, 21, "สำโรง", "Samrong"),
    store("CFR022", SOUTH, 18, "ปากน้ำ", "Pak Nam"),
    store("CFR023", SOUTH, 14, "บางพลี", "Bang Phli"),
    store("CFR024", SOUTH, 11, "พระประแดง", "Phra Pradaeng"),
    store("CFR025", SOUTH, 10, "บางบ่อ", "Bang Bo"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::StoreId;
    use std::collections::BTreeSet;

    #[test]
    fn twenty_five_stores_in_five_regions_the_biggest_three_times_the_smallest() {
        let ids: BTreeSet<&str> = STORES.iter().map(|s| s.id).collect();
        let regions: BTreeSet<&str> = STORES.iter().map(|s| s.region.id).collect();
        assert_eq!((ids.len(), regions.len()), (25, 5));
        let weights = STORES.iter().map(|s| s.weight);
        assert_eq!(weights.clone().max(), weights.min().map(|w| 3 * w));
        for store in STORES {
            assert!(StoreId::new(store.id).is_ok());
            assert!(store.profile().is_ok());
        }
    }
}
