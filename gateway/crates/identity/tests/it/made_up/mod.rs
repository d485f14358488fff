//! People who were never born, and what five systems know of each: with short names, stage names and two scripts, changed, inherited and shared
//! telephones, twins, people who left and came back, two staff numbers, and mistakes. It is known who is who.
//!
//! Each person follows from their number alone, so that a million records need not be kept.

mod names;

use renmen_identity::{Collector, Day, Digests, Facts, Rules, Span};

use names::{ENGLISH, GIVEN, LATIN_FAMILY, LATIN_GIVEN, STAGE, SURNAMES};

/// The systems, each with the kind of record that it has.
pub(crate) const SYSTEMS: [(&str, &str); 5] = [
    ("hr", "employee"),
    ("chat", "employee"),
    ("payroll", "employee"),
    ("ats", "candidate"),
    ("interview", "candidate"),
];

/// Numbers that look as if by chance and are always the same.
#[derive(Clone)]
struct Chance(u64);

impl Chance {
    fn of(seed: u64, what: &str) -> Self {
        let mixed = what.bytes().fold(seed, |sum, byte| sum.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte));
        Self(mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }

    /// True in so many of a thousand cases.
    fn permille(&mut self, share: u64) -> bool {
        self.next() % 1_000 < share
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// A person who was made up.
pub(crate) struct Somebody {
    number: u64,
    chinese: bool,
    name: String,
    /// In the other script, or in short.
    other_name: String,
    chat_name: String,
    born: Day,
    card: String,
    mobile: String,
    mobile_before: String,
    private_mail: String,
    work_mail: String,
    staff: String,
    hired: bool,
    came_back: bool,
    second_number: Option<Second>,
}

/// A second staff number at the same time.
#[derive(Clone, Copy, PartialEq)]
enum Second {
    InTheSameSystem,
    ElsewhereOnly,
}

fn mobile(number: u64) -> String {
    format!("1{}{:08}", 30 + number % 60, (number * 7_919) % 100_000_000)
}

fn birth(chance: &mut Chance) -> Day {
    Day((1960 + chance.below(44) as i32) * 10_000 + (1 + chance.below(12) as i32) * 100 + 1 + chance.below(28) as i32)
}

/// The family that a person's household shares things of: of a hundred and twenty people two are twins, and four live with the one before.
fn household(number: u64) -> (u64, bool) {
    match number % 120 {
        1 => (number - 1, true),
        20 | 50 | 70 | 90 => (number - 1, false),
        _ => (number, false),
    }
}

impl Somebody {
    pub(crate) fn new(number: u64) -> Self {
        let (head, twin) = household(number);
        let mut family = Chance::of(head, "family");
        let chinese = family.permille(700);
        let (surname, latin_surname) = (family.pick(&SURNAMES), family.pick(&LATIN_FAMILY));
        let mut own = Chance::of(number, "self");
        let (name, other_name) = if chinese {
            let (first, second) = (own.pick(&GIVEN), own.permille(750).then(|| own.clone().pick(&GIVEN)));
            let (han, latin) = second.unwrap_or(("", ""));
            (format!("{}{}{han}", surname.0, first.0), format!("{}{latin} {}", first.1, surname.1))
        } else {
            let (given, short) = own.pick(&LATIN_GIVEN);
            let surname = if twin || own.permille(950) { latin_surname } else { own.pick(&LATIN_FAMILY) };
            (format!("{given} {surname}"), format!("{short} {surname}"))
        };
        let chat_name = match own.below(100) {
            0..12 if chinese => own.pick(&STAGE).to_owned(),
            12..22 if chinese => format!("{} {name}", own.pick(&ENGLISH)),
            22..30 => other_name.clone(),
            30..36 => format!("{name}（{}部）", own.pick(&["市场", "研发", "财务"])),
            _ => name.clone(),
        };
        let born = if twin { birth(&mut Chance::of(head, "birth")) } else { birth(&mut Chance::of(number, "birth")) };
        let lives_with = head != number && own.permille(700);
        let reception = number % 400 == 7;
        let current = match (lives_with, reception) {
            (true, _) => mobile(head),
            (_, true) => "13000000000".to_owned(),
            // A number that another person gave up.
            _ if own.permille(20) && number > 40 => mobile_before(number - 37),
            _ => mobile(number),
        };
        let mobile_before = if own.permille(120) { mobile_before(number) } else { current.clone() };
        let mail_name = other_name.to_lowercase().replace([' ', '\''], ".");
        let is_head = household(number + 1).0 == number;
        let one_mailbox = (lives_with || is_head) && Chance::of(head, "mailbox").permille(400);
        Self {
            number,
            chinese,
            card: format!("{:06}{}{:03}X", 110_101 + number % 800_000, born.0, number % 1_000),
            private_mail: if one_mailbox {
                format!("family.{head}@home.example")
            } else {
                format!("{mail_name}.{number}@home.example")
            },
            work_mail: format!("{mail_name}{number}@acme.example"),
            staff: format!("E{number:07}"),
            hired: own.permille(850),
            came_back: own.permille(40),
            second_number: own
                .permille(20)
                .then(|| if own.clone().permille(400) { Second::InTheSameSystem } else { Second::ElsewhereOnly }),
            name,
            other_name,
            chat_name,
            born,
            mobile: current,
            mobile_before,
        }
    }

    /// What the systems have of this person, in a fixed order.
    pub(crate) fn records(&self, rules: &Rules, digests: &Digests) -> Vec<Facts> {
        let mut chance = Chance::of(self.number, "records");
        let mut told = Vec::new();
        let applied = !self.hired || chance.permille(750);
        if self.hired {
            told.push(self.hr(rules, digests, &mut chance, 0, applied));
            if self.came_back {
                told.push(self.hr(rules, digests, &mut chance, 1, false));
            }
            if chance.permille(850) {
                told.push(self.chat(rules, digests, &mut chance));
            }
            if chance.permille(950) {
                told.push(self.payroll(rules, digests, &mut chance, &self.staff_now()));
            }
            match self.second_number {
                Some(Second::InTheSameSystem) => {
                    told.push(self.payroll(rules, digests, &mut chance, &format!("B{:07}", self.number)));
                }
                Some(Second::ElsewhereOnly) => told.push(self.chat_of_the_other_company(rules, digests, &mut chance)),
                None => {}
            }
        }
        if applied {
            told.push(self.candidate(rules, digests, &mut chance, "ats", 0));
            if chance.permille(50) {
                told.push(self.candidate(rules, digests, &mut chance, "ats", 1));
            }
            if chance.permille(700) {
                told.push(self.candidate(rules, digests, &mut chance, "interview", 0));
            }
        }
        told
    }

    fn staff_now(&self) -> String {
        if self.came_back { format!("R{:07}", self.number) } else { self.staff.clone() }
    }

    fn collector<'a>(&self, rules: &'a Rules, digests: &'a Digests, system: usize, record: u64) -> Collector<'a> {
        let (connection, entity) = SYSTEMS[system];
        Collector::new(rules, digests, connection, entity, &format!("{}-{record}", self.number))
    }

    fn hr(&self, rules: &Rules, digests: &Digests, chance: &mut Chance, stay: u64, applied: bool) -> Facts {
        let mut record = self.collector(rules, digests, 0, stay);
        record.name(&self.name);
        if !self.chinese || chance.permille(250) {
            record.name(&self.other_name);
        }
        // Who came back has a number of each stay.
        let day = |text| Day::parse(text);
        let (number, span) = match (self.came_back, stay) {
            (true, 0) => (self.staff.clone(), Span::of(day("2018-04-01"), day("2021-06-30"))),
            (true, _) => (self.staff_now(), Span::of(day("2022-09-01"), None)),
            (false, _) => (self.staff.clone(), Span::of(day("2020-03-02"), None)),
        };
        record.staff_number(&number, span);
        if chance.permille(900) {
            record.mail(&self.work_mail, true);
        }
        if chance.permille(900) {
            record.mobile(&self.mobile);
        }
        if chance.permille(850) {
            record.national_id("ID_CARD", "CN", &self.card, true);
        }
        if chance.permille(900) {
            record.birth_date(self.written_birth_date(chance));
        }
        if chance.permille(500) {
            record.mail(&self.private_mail, false);
        }
        if applied && chance.permille(750) {
            record.application("ats", &format!("A{}-0", self.number));
        }
        record.done()
    }

    /// One in four hundred is written with day and month exchanged.
    fn written_birth_date(&self, chance: &mut Chance) -> Day {
        let (year, month, day) = (self.born.0 / 10_000, self.born.0 / 100 % 100, self.born.0 % 100);
        let slip = chance.next().is_multiple_of(400) && day <= 12;
        if slip { Day(year * 10_000 + day * 100 + month) } else { self.born }
    }

    fn chat(&self, rules: &Rules, digests: &Digests, chance: &mut Chance) -> Facts {
        let mut record = self.collector(rules, digests, 1, 0);
        record.name(&self.chat_name);
        record.mobile(if chance.permille(950) { &self.mobile } else { &self.mobile_before });
        if chance.permille(700) {
            record.mail(&self.work_mail, true);
        }
        if chance.permille(750) {
            record.staff_number(&self.staff_now(), Span::ALWAYS);
        }
        record.done()
    }

    fn chat_of_the_other_company(&self, rules: &Rules, digests: &Digests, chance: &mut Chance) -> Facts {
        let mut record = Collector::new(rules, digests, "office", "employee", &self.number.to_string());
        record.name(&self.name);
        record.staff_number(&format!("B{:07}", self.number), Span::ALWAYS);
        record.mobile(&self.mobile);
        if chance.permille(500) {
            record.birth_date(self.born);
        }
        record.done()
    }

    fn payroll(&self, rules: &Rules, digests: &Digests, chance: &mut Chance, number: &str) -> Facts {
        let mut record = self.collector(rules, digests, 2, u64::from(number.starts_with('B')));
        if chance.permille(950) {
            record.name(&self.name);
        }
        // One in five hundred was typed wrong, and is then the number of another person.
        let typed =
            if chance.next().is_multiple_of(500) { format!("E{:07}", self.number + 10) } else { number.to_owned() };
        record.staff_number(&typed, Span::ALWAYS);
        if chance.permille(800) {
            record.national_id("ID_CARD", "CN", &self.card.to_lowercase(), true);
        }
        record.done()
    }

    fn candidate(&self, rules: &Rules, digests: &Digests, chance: &mut Chance, system: &str, time: u64) -> Facts {
        let mut record = self.collector(rules, digests, if system == "ats" { 3 } else { 4 }, time);
        record.name(if chance.permille(920) { &self.name } else { &self.other_name });
        if chance.permille(920) {
            record.mobile(if time == 0 { &self.mobile_before } else { &self.mobile });
        }
        if chance.permille(850) {
            record.mail(&self.private_mail, false);
        }
        if chance.permille(500) {
            record.birth_date(self.written_birth_date(chance));
        }
        if system == "ats" {
            // Before an offer the card is asked for.
            if self.hired && chance.permille(400) {
                record.national_id("ID_CARD", "CN", &self.card, true);
            }
            record.application("ats", &format!("A{}-{time}", self.number));
        } else if chance.permille(600) {
            record.application("ats", &format!("A{}-0", self.number));
        }
        record.done()
    }
}

/// The number that a person had before.
fn mobile_before(number: u64) -> String {
    format!("189{:08}", (number * 104_729) % 100_000_000)
}
