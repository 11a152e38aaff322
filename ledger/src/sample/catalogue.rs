//! What the sample chain sells. Names and prices are plausible, brands and article numbers are made up.

use commands::catalogue::ProductRow;
use domain::{
    ids::{InvalidId, Sku},
    money::{Money, SCALE},
    order::facts::Product as Known,
};

/// How a product is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sale {
    /// By the piece.
    Each,
    /// By the kilogram.
    Weighed,
    /// In packs of this many pieces.
    Pack(i32),
}

/// A product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Product {
    /// Name in Thai.
    pub name_th: &'static str,
    /// Name in English.
    pub name_en: &'static str,
    /// Price in whole THB: per piece, per kilogram or per pack.
    pub price: i64,
    /// How it is sold.
    pub sale: Sale,
    /// Whether VAT is due: not on unprocessed food.
    pub taxed: bool,
}

impl Product {
    /// The price.
    pub const fn price(&self) -> Money {
        Money::from_units(self.price * SCALE)
    }

    /// The unit of measure.
    pub const fn uom(&self) -> &'static str {
        match self.sale {
            Sale::Each => "EA",
            Sale::Weighed => "KG",
            Sale::Pack(_) => "SPAC",
        }
    }
}

/// The article number of a product by its place in [`PRODUCTS`]: an EAN-13 with Thailand's prefix and a made-up
/// company, for weighed goods one of the numbers that shops assign themselves.
pub fn sku(index: usize) -> String {
    let weighed = PRODUCTS.get(index).is_some_and(|p| p.sale == Sale::Weighed);
    let company = if weighed { "2100000" } else { "8859990" };
    let digits = format!("{company}{:05}", index + 1);
    let check = check_digit(&digits);
    format!("{digits}{check}")
}

/// The products as the ledger's catalogue holds them, with the components of bundles among them and the bundles'
/// own article numbers.
///
/// # Errors
/// An article number has the wrong form.
pub fn products() -> Result<Vec<ProductRow>, InvalidId> {
    let product = |(index, product): (usize, &Product)| {
        let known = Known {
            name_th: Some(product.name_th.to_owned()),
            name_en: Some(product.name_en.to_owned()),
            short_description: Some(format!("{}, {}", product.name_en, product.uom())),
            image_url: Some(format!("https://images.example.com/{}.jpg", sku(index))),
            list_price: None,
        };
        let sku = Sku::new(sku(index))?;
        Ok(ProductRow {
            sku,
            product: known,
        })
    };
    PRODUCTS.iter().enumerate().map(product).collect()
}

/// EAN-13: weights 1 and 3 in turn, up to the next ten.
fn check_digit(twelve: &str) -> u32 {
    let weights = [1, 3].into_iter().cycle();
    let sum: u32 = twelve
        .chars()
        .filter_map(|c| c.to_digit(10))
        .zip(weights)
        .map(|(d, w)| d * w)
        .sum();
    (10 - sum % 10) % 10
}

const fn each(price: i64, name_th: &'static str, name_en: &'static str) -> Product {
    Product {
        name_th,
        name_en,
        price,
        sale: Sale::Each,
        taxed: true,
    }
}

const fn weighed(price: i64, name_th: &'static str, name_en: &'static str) -> Product {
    Product {
        name_th,
        name_en,
        price,
        sale: Sale::Weighed,
        taxed: false,
    }
}

const fn pack(price: i64, pieces: i32, name_th: &'static str, name_en: &'static str) -> Product {
    Product {
        name_th,
        name_en,
        price,
        sale: Sale::Pack(pieces),
        taxed: true,
    }
}

/// Every product.
pub const PRODUCTS: [Product; 82] = [
    each(10, "น้ำดื่ม 600 มล.", "Drinking water 600 ml"),
    each(14, "น้ำดื่ม 1.5 ลิตร", "Drinking water 1.5 l"),
    each(15, "น้ำแร่ 500 มล.", "Mineral water 500 ml"),
    each(17, "น้ำอัดลมโคล่า 325 มล.", "Cola 325 ml"),
    each(28, "น้ำอัดลมโคล่า 1 ลิตร", "Cola 1 l"),
    each(17, "น้ำอัดลมรสส้ม 325 มล.", "Orange soda 325 ml"),
    each(12, "โซดา 325 มล.", "Soda water 325 ml"),
    each(20, "ชาเขียวรสต้นตำรับ 420 มล.", "Green tea original 420 ml"),
    each(
        25,
        "ชาเขียวรสน้ำผึ้งมะนาว 500 มล.",
        "Green tea honey lemon 500 ml",
    ),
    each(30, "ชานมไข่มุก", "Bubble milk tea"),
    each(25, "กาแฟเย็นกระป๋อง 180 มล.", "Iced coffee can 180 ml"),
    each(45, "อเมริกาโน่เย็น 16 ออนซ์", "Iced americano 16 oz"),
    each(50, "ลาเต้เย็น 16 ออนซ์", "Iced latte 16 oz"),
    each(12, "เครื่องดื่มชูกำลัง 150 มล.", "Energy drink 150 ml"),
    each(25, "เครื่องดื่มเกลือแร่ 400 มล.", "Electrolyte drink 400 ml"),
    each(13, "นมยูเอชทีรสจืด 200 มล.", "UHT milk plain 200 ml"),
    each(48, "นมพาสเจอร์ไรส์ 830 มล.", "Pasteurised milk 830 ml"),
    each(14, "นมถั่วเหลือง 250 มล.", "Soy milk 250 ml"),
    each(15, "โยเกิร์ตรสธรรมชาติ 135 ก.", "Plain yoghurt 135 g"),
    each(12, "นมเปรี้ยวรสส้ม 180 มล.", "Drinking yoghurt orange 180 ml"),
    each(25, "น้ำส้มคั้น 250 มล.", "Orange juice 250 ml"),
    each(35, "น้ำมะพร้าว 350 มล.", "Coconut water 350 ml"),
    each(22, "ขนมปังแผ่น 6 แผ่น", "Sliced bread 6 slices"),
    each(42, "ขนมปังโฮลวีต 400 ก.", "Whole-wheat bread 400 g"),
    each(32, "แซนด์วิชแฮมชีส", "Ham and cheese sandwich"),
    each(29, "แซนด์วิชทูน่า", "Tuna sandwich"),
    each(39, "ครัวซองต์เนยสด", "Butter croissant"),
    each(18, "ซาลาเปาหมูสับ", "Steamed pork bun"),
    each(15, "ซาลาเปาไส้ครีม", "Steamed custard bun"),
    each(35, "ขนมจีบหมู 6 ชิ้น", "Pork siu mai 6 pieces"),
    each(25, "ไส้กรอกย่าง", "Grilled sausage"),
    each(45, "ข้าวกะเพราหมูสับ", "Basil pork with rice"),
    each(49, "ข้าวผัดปู", "Crab fried rice"),
    each(45, "ข้าวไข่เจียวหมูสับ", "Minced pork omelette with rice"),
    each(55, "ผัดไทยกุ้งสด", "Pad thai with shrimp"),
    each(49, "สปาเกตตีคาโบนารา", "Spaghetti carbonara"),
    each(59, "สลัดอกไก่", "Chicken breast salad"),
    each(39, "ต้มจืดเต้าหู้หมูสับ", "Clear soup with tofu"),
    each(29, "ข้าวปั้นสาหร่ายแซลมอน", "Salmon rice ball"),
    each(12, "ไข่ต้ม 1 ฟอง", "Boiled egg"),
    Product {
        taxed: false,
        ..each(58, "ไข่ไก่เบอร์ 2 แพ็ก 10", "Eggs size 2, 10 pieces")
    },
    each(10, "บะหมี่กึ่งสำเร็จรูปรสต้มยำ", "Instant noodles tom yum"),
    each(16, "บะหมี่ถ้วยรสหมูสับ", "Cup noodles minced pork"),
    each(24, "โจ๊กถ้วย", "Rice porridge cup"),
    each(20, "มันฝรั่งทอดรสดั้งเดิม 48 ก.", "Potato chips original 48 g"),
    each(20, "มันฝรั่งทอดรสสาหร่าย 48 ก.", "Potato chips seaweed 48 g"),
    each(10, "ขนมข้าวโพดอบกรอบ", "Corn puffs"),
    each(35, "สาหร่ายทอดกรอบ", "Crispy seaweed"),
    each(20, "ถั่วลิสงอบเกลือ 90 ก.", "Salted peanuts 90 g"),
    each(45, "เม็ดมะม่วงหิมพานต์ 80 ก.", "Cashew nuts 80 g"),
    each(25, "ช็อกโกแลตนม 40 ก.", "Milk chocolate 40 g"),
    each(15, "เวเฟอร์ช็อกโกแลต", "Chocolate wafer"),
    each(12, "ลูกอมรสมินต์", "Mint candy"),
    each(25, "ไอศกรีมวานิลลาถ้วย", "Vanilla ice cream cup"),
    each(30, "ไอศกรีมแท่งช็อกโกแลต", "Chocolate ice cream bar"),
    each(42, "น้ำปลา 700 มล.", "Fish sauce 700 ml"),
    each(55, "น้ำมันพืช 1 ลิตร", "Vegetable oil 1 l"),
    each(24, "น้ำตาลทราย 1 กก.", "Sugar 1 kg"),
    each(65, "ข้าวหอมมะลิ 1 กก.", "Jasmine rice 1 kg"),
    each(265, "ข้าวหอมมะลิ 5 กก.", "Jasmine rice 5 kg"),
    each(35, "ปลากระป๋องซอสมะเขือเทศ", "Canned fish in tomato sauce"),
    each(129, "แชมพู 450 มล.", "Shampoo 450 ml"),
    each(65, "ยาสีฟัน 160 ก.", "Toothpaste 160 g"),
    each(35, "แปรงสีฟัน", "Toothbrush"),
    each(29, "สบู่เหลว 200 มล.", "Liquid soap 200 ml"),
    each(39, "กระดาษทิชชู 180 แผ่น", "Facial tissue 180 sheets"),
    each(45, "ผ้าอนามัย 8 ชิ้น", "Sanitary pads 8 pieces"),
    each(99, "ผงซักฟอก 800 ก.", "Detergent 800 g"),
    each(55, "น้ำยาล้างจาน 500 มล.", "Dish soap 500 ml"),
    each(79, "ถ่านอัลคาไลน์ AA 4 ก้อน", "Alkaline batteries AA 4 pieces"),
    each(199, "สายชาร์จ USB-C 1 ม.", "USB-C cable 1 m"),
    each(89, "อาหารแมวเม็ด 400 ก.", "Dry cat food 400 g"),
    weighed(45, "กล้วยหอม", "Bananas"),
    weighed(119, "มะม่วงน้ำดอกไม้", "Nam Dok Mai mangoes"),
    weighed(89, "แอปเปิลแดง", "Red apples"),
    weighed(35, "แตงโม", "Watermelon"),
    weighed(189, "หมูสันใน", "Pork tenderloin"),
    weighed(95, "อกไก่", "Chicken breast"),
    pack(
        55,
        6,
        "น้ำดื่ม 600 มล. แพ็ก 6",
        "Drinking water 600 ml, pack of 6",
    ),
    pack(72, 6, "นมยูเอชที 200 มล. แพ็ก 6", "UHT milk 200 ml, pack of 6"),
    pack(54, 6, "บะหมี่กึ่งสำเร็จรูป แพ็ก 6", "Instant noodles, pack of 6"),
    pack(149, 4, "กระดาษชำระ แพ็ก 4", "Toilet paper, pack of 4"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn article_numbers_are_unique_and_their_check_digits_right() {
        assert_eq!(check_digit("400638133393"), 1, "the standard's example");
        let skus: BTreeSet<String> = (0..PRODUCTS.len()).map(sku).collect();
        assert_eq!(skus.len(), PRODUCTS.len());
        for sku in skus {
            assert_eq!(sku.len(), 13);
            assert_eq!(check_digit(&sku[..12]).to_string(), sku[12..]);
        }
    }

    #[test]
    fn the_cheapest_single_product_makes_an_order() {
        let cheapest = PRODUCTS
            .iter()
            .filter(|p| p.sale == Sale::Each)
            .map(|p| p.price)
            .min();
        assert_eq!(cheapest, Some(10), "below 10.00 an order is refused");
        let names: BTreeSet<&str> = PRODUCTS.iter().map(|p| p.name_th).collect();
        assert_eq!(names.len(), PRODUCTS.len());
    }
}
