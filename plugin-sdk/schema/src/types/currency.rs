//! Currencies by their ISO 4217 codes.

use std::fmt;

use crate::check::BadValue;
use crate::json_string::string_type;
use crate::text;

/// ISO 4217 list one (active codes) without the codes for metals, tests and "no currency".
const CODES: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF \
CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD \
HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD \
MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR \
SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS \
VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";
const NO_MINOR: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const THOUSANDTHS: &str = "BHD IQD JOD KWD LYD OMR TND";
const TEN_THOUSANDTHS: &str = "CLF UYW";

/// An active ISO 4217 currency. `UNKNOWN`, `RMB` and the like are refused: an amount without a known currency is not
/// money.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The renminbi.
    pub const CNY: Self = Self(*b"CNY");
    /// The United States dollar.
    pub const USD: Self = Self(*b"USD");
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");

    /// Reads a three-letter code in capitals.
    ///
    /// # Errors
    /// `bad_currency` for what ISO 4217 does not list as active.
    pub fn parse(text: &str) -> Result<Self, BadValue> {
        let refuse = || {
            BadValue::new(
                "bad_currency",
                text!(
                    "expected an ISO 4217 code of a currency in use, as CNY or USD",
                    "应为在用货币的 ISO 4217 代码，例如 CNY 或 USD"
                ),
            )
        };
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| refuse())?;
        let currency = Self(code);
        if code == *b"CNY" || listed(CODES, code) { Ok(currency) } else { Err(refuse()) }
    }

    /// The codes of all currencies in use.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        CODES.split(' ')
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("made of three ASCII capitals only")
    }

    /// How many digits after the point its smallest coin needs: 2 for CNY, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn minor_digits(self) -> u32 {
        match self.0 {
            code if listed(NO_MINOR, code) => 0,
            code if listed(THOUSANDTHS, code) => 3,
            code if listed(TEN_THOUSANDTHS, code) => 4,
            _ => 2,
        }
    }
}

/// The lists hold codes of three letters, one blank between them.
fn listed(list: &str, code: [u8; 3]) -> bool {
    code.iter().all(u8::is_ascii_uppercase) && list.as_bytes().chunks(4).any(|entry| entry[..3] == code)
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

string_type!(Currency, "an ISO 4217 code as a JSON string", {
    "description": "ISO 4217 alphabetic code of a currency in use.",
    "pattern": "^[A-Z]{3}$"
});

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{CODES, Currency};

    #[test]
    fn every_listed_code_is_taken_and_reads_back() {
        assert!(CODES.len() > 600);
        for code in CODES.split(' ') {
            assert_eq!(Currency::parse(code).unwrap().as_str(), code);
        }
    }

    #[test]
    fn what_is_no_currency_in_use_is_refused() {
        for text in
            ["", "UNKNOWN", "UNKNOWN_CURRENCY", "RMB", "cny", "CN", "XXX", "XTS", "XAU", "DEM", "Y C", "元", "D A"]
        {
            assert_eq!(Currency::parse(text).unwrap_err().code, "bad_currency", "{text}");
        }
    }

    #[test]
    fn minor_digits_follow_the_currency() {
        let digits = |code| Currency::parse(code).unwrap().minor_digits();
        assert_eq!([digits("CNY"), digits("JPY"), digits("KWD"), digits("CLF")], [2, 0, 3, 4]);
    }
}
