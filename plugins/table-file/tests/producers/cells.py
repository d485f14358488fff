"""Random cells of each kind, and what the person who wrote them meant.

A cell is what a producer is asked to write; its meaning is noted with it in the words of the canonical record, or None
where no reader may take a meaning from it. `plain` says that a reader must take it: what is plainly good must not be
refused.
"""

import datetime
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any


@dataclass
class Cell:
    what: str  # text, number, day, iso, bool, error, formula, blank
    value: Any
    meant: str | None
    plain: bool = False
    format: str = "General"
    stored: Any = None  # of a formula
    calculated: str | None = None  # what a program that calculates makes of the formula
    hidden: bool = False
    merged: int = 0  # so many rows below it are covered
    builtin: int | None = None  # the number of a format that has no text in the file
    needs: frozenset = field(default_factory=frozenset)  # what a producer must be able to do


def text(value, meant, plain=False, **more):
    return Cell("text", value, meant, plain, **more)


def number(value, meant, plain=False, format="General", **more):
    return Cell("number", value, meant, plain, format, **more)


def decimal(rng, whole_max=9_999_999, places=2):
    return Decimal(rng.randint(0, whole_max * 10**places)) / 10**places


def plain_text(value):
    return format(value.normalize(), "f") if value else "0"


def kept(value):
    """What a spreadsheet keeps of a number: 15 digits."""
    return Decimal("%.15g" % value)


# --- ids ----------------------------------------------------------------------------------------------------------------

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
INVISIBLE = ["\u200b", "\u200e", "\u202c", "\ufeff", "\u00ad", "\u2060"]


def wide(value):
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in value)


def ids(rng):
    digits = str(rng.randint(1, 999_999))
    code = rng.choice(LETTERS) + digits.zfill(6)
    card = "".join(rng.choice("0123456789") for _ in range(17)) + rng.choice("0123456789X")
    n = rng.randint(1, 10 ** rng.randint(1, 15) - 1)
    long = rng.randint(10**15, 10**19)
    at = rng.randint(0, len(code))
    width = rng.randint(4, 12)
    return rng.choice([
        lambda: text(digits.zfill(8), digits.zfill(8), True),
        lambda: text(code, code, True),
        lambda: text(card, card, True),
        lambda: text(code + "-" + digits, code + "-" + digits, True),
        lambda: text(digits + "E" + digits[:2], digits + "E" + digits[:2]),
        lambda: text(code[:at] + rng.choice(INVISIBLE) + code[at:], code, True),
        lambda: text(wide(code), code, True),
        lambda: text("  " + code + "\u3000", code, True),
        lambda: text('="' + digits.zfill(8) + '"', digits.zfill(8), True),
        lambda: text("'" + digits.zfill(8), digits.zfill(8), True),
        lambda: text("%.5E" % long, None),
        lambda: text("1.1E+17", None),
        lambda: text(digits + ".0", None),
        lambda: text("=A" + digits, None),
        lambda: text(code + "\n" + digits, None),
        lambda: number(n, str(n), True),
        lambda: number(n, str(n), True, "0"),
        lambda: number(n, str(n), True, "@"),
        lambda: number(n, str(n).zfill(width), True, "0" * width),
        lambda: number(n, None, False, '"E"0000'),
        lambda: number(n, None, False, "000-0000"),
        lambda: number(long, str(long)),
        lambda: number(long, str(long), False, "0"),
        lambda: number(n % 10**13 + 0.5, None),
        lambda: number(n, str(n), False, "0.00E+00"),
        lambda: number(n / 100, None, False, "0.00%"),
        lambda: Cell("error", "#N/A", None),
    ])()


# --- days and months ----------------------------------------------------------------------------------------------------

DAY_FORMATS = [
    "yyyy-mm-dd", "yyyy/m/d", "dd/mm/yyyy", "m/d/yy", "d-mmm-yy", "mm-dd-yy", "yyyy/m/d;@", "yyyymmdd", "yyyy.mm.dd",
    'yyyy"年"m"月"d"日"', '[$-804]yyyy"年"m"月"d"日";@', '[DBNum1][$-804]yyyy"年"m"月"d"日";@', "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy",
    "[$-409]d\\-mmm\\-yyyy;@", "yyyy-mm-dd hh:mm:ss", "[$-409]m/d/yy h:mm AM/PM;@", "dddd", "[$-804]aaaa;@", "m\"月\"d\"日\"",
    "[Red]yyyy-mm-dd", "d.m.yyyy", "yyyy\\-mm\\-dd;;", "e/m/d",
]
MONTH_FORMATS = ["yyyy-mm", "mmm-yy", 'yyyy"年"m"月"', '[$-804]yyyy"年"m"月";@', "mmmm", "yyyymm", "[$-409]mmmm\\-yy;@"]
BUILTIN_DAYS = [14, 15, 16, 17, 22, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 55, 56, 57, 58]
NO_DAYS = ["[h]:mm", "h:mm:ss", "mm:ss", "[mm]:ss", "[$-409]h:mm AM/PM;@", '上午/下午h"时"mm"分"', "mm:ss.0"]


def day_of(rng, first=1950, last=2100):
    start = datetime.date(first, 1, 1).toordinal()
    return datetime.date.fromordinal(rng.randint(start, datetime.date(last, 12, 31).toordinal()))


def serial(day):
    return (day - datetime.date(1899, 12, 30)).days


def days(rng):
    day = day_of(rng)
    early = day_of(rng, 1901, 1949)
    iso, moment = day.isoformat(), datetime.datetime.combine(day, datetime.time(rng.randint(0, 23), rng.randint(0, 59)))
    spelled = [
        iso, f"{day.year}/{day.month}/{day.day}", f"{day.year}.{day.month}.{day.day}", day.strftime("%Y%m%d"),
        f"{day.year}年{day.month}月{day.day}日", f"{day.year}年{day.month:02}月{day.day:02}日", wide(iso), f" {iso} 08:00",
        f"{iso}T23:59:59", f"{iso} 00:00:00",
    ]
    return rng.choice([
        lambda: Cell("day", day, iso, True, rng.choice(DAY_FORMATS)),
        lambda: Cell("day", day, iso, True, rng.choice(DAY_FORMATS)),
        lambda: Cell("day", day, iso, True, rng.choice(MONTH_FORMATS)),
        lambda: Cell("day", moment, iso, True, rng.choice(DAY_FORMATS)),
        lambda: Cell("day", day, iso, True, builtin=rng.choice(BUILTIN_DAYS), needs=frozenset({"builtin"})),
        lambda: Cell("iso", day, iso, True, needs=frozenset({"iso"})),
        lambda: text(rng.choice(spelled), iso, True),
        lambda: text(rng.choice(spelled), iso, True),
        lambda: text(day.strftime("%d/%m/%Y"), None),
        lambda: text(day.strftime("%m-%d-%Y"), None),
        lambda: text(day.strftime("%y-%m-%d"), None),
        lambda: text(f"{day.year}-02-30", None),
        lambda: text(str(serial(day)), None),
        lambda: number(int(day.strftime("%Y%m%d")), iso, True),
        lambda: number(serial(day), None),
        lambda: number(serial(day), None, False, "#,##0.00"),
        lambda: number(serial(day), None, False, "0%"),
        lambda: Cell("day", early, early.isoformat(), False, "yyyy-mm-dd"),
        lambda: text(early.isoformat(), early.isoformat()),
        lambda: number(rng.choice([0, 0.25, 60, -1, 3_000_000]), None, False, "yyyy-mm-dd"),
        lambda: number(serial(day) + 0.25, None, False, rng.choice(NO_DAYS)),
        lambda: Cell("bool", True, None),
        lambda: Cell("error", "#VALUE!", None),
    ])()


def months(rng):
    day = day_of(rng)
    y, m = day.year, day.month
    meant = f"{y}-{m:02}"
    spelled = [meant, f"{y}{m:02}", f"{y}年{m}月", f"{y}年{m:02}月", f"{y}/{m}", f"{y}-{m}", wide(meant), f"{y}年{m}月份"]
    if m != 1:
        spelled.append(f"{y}.{m:02}")
    return rng.choice([
        lambda: Cell("day", day, meant, True, rng.choice(MONTH_FORMATS)),
        lambda: Cell("day", day, meant, True, rng.choice(DAY_FORMATS)),
        lambda: Cell("day", day, meant, True, builtin=rng.choice(BUILTIN_DAYS), needs=frozenset({"builtin"})),
        lambda: text(rng.choice(spelled), meant, True),
        lambda: text(rng.choice(spelled), meant, True),
        lambda: text(day.isoformat(), meant, True),
        lambda: text(f"{y}.1", None),
        lambda: text(f"{y}-13", None),
        lambda: text(f"{m:02}/{y}", None),
        lambda: number(y * 100 + m, meant, True),
        lambda: number(float(f"{y}.{m:02}"), None, False, rng.choice(["General", "0.00", "0.0"])),
        lambda: number(y, None),
        lambda: number(serial(day), None, False, rng.choice(["General", "0", "#,##0"])),
        lambda: number(serial(day), None, False, rng.choice(NO_DAYS)),
    ])()


# --- money --------------------------------------------------------------------------------------------------------------

MONEY_FORMATS = [
    "General", "0", "0.00", "#,##0", "#,##0.00", '"¥"#,##0.00', "[$¥-804]#,##0.00", "¥#,##0.00;[Red]¥-#,##0.00",
    '_ "¥"* #,##0.00_ ;_ "¥"* -#,##0.00_ ;_ "¥"* "-"??_ ;_ @_ ', "#,##0.00_);(#,##0.00)", "#,##0.00_);[Red](#,##0.00)",
    '#,##0.00"元"', "[$CNY] #,##0.00", "@", "0.00_ ", '_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)', "[Blue]0.0000",
]
FOREIGN_FORMATS = [
    "[$$-409]#,##0.00", "[$€-407]#,##0.00", "[$£-809]#,##0.00", "[$¥-411]#,##0", '#,##0.00"欧元"', "[$USD] #,##0.00",
    '"HK$"#,##0.00', "#,##0.00\\ [$€-1]", "\\$#,##0.00", "$#,##0.00", '"US$"#,##0.00;("US$"#,##0.00)',
]


def grouped(value, places=2):
    return f"{value:,.{places}f}"


def money_text(rng, value):
    """The text of an amount that can mean nothing else, with its sign."""
    body = rng.choice([grouped(value), f"{value:.2f}", grouped(value), wide(grouped(value))])
    return rng.choice([
        lambda: (body, value), lambda: ("¥" + body, value), lambda: ("￥ " + body, value), lambda: (body + "元", value),
        lambda: ("CNY " + body, value), lambda: ("RMB" + body, value), lambda: ("-" + body, -value),
        lambda: ("(" + body + ")", -value), lambda: ("¥-" + body, -value), lambda: ("-¥" + body, -value),
        lambda: (" " + body + " ", value), lambda: (body + " CNY", value),
    ])()


def money(rng):
    value = decimal(rng)
    signed = value * rng.choice([1, 1, 1, -1])
    written, meant = money_text(rng, value)
    thousands = Decimal(rng.randint(10, 999)) / 10
    n = rng.randint(1, 99_999_999)
    tail = n / rng.choice([3, 7, 9, 11, 13])
    places = rng.randint(1, 4)
    exact = kept(tail)
    shown = exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    long = "0." + "0" * places
    return rng.choice([
        lambda: number(float(signed), plain_text(signed), True, rng.choice(MONEY_FORMATS)),
        lambda: number(float(signed), plain_text(signed), True, rng.choice(MONEY_FORMATS)),
        lambda: number(n, str(n), True, rng.choice(MONEY_FORMATS)),
        lambda: number(float(value) + 0.1 + 0.2 - 0.3, plain_text(value), True, "#,##0.00"),
        lambda: text(written, plain_text(meant), True),
        lambda: text(written, plain_text(meant), True),
        lambda: text(f"{thousands}k", plain_text(thousands * 1000), True),
        lambda: text(f"{thousands}万", plain_text(thousands * 10000), True),
        lambda: number(tail, plain_text(shown), exact.as_tuple().exponent < -6, long)
        if exact.as_tuple().exponent < -6 else number(tail, plain_text(exact), True, long),
        lambda: number(tail, None if exact.as_tuple().exponent < -6 else plain_text(exact)),
        lambda: number(float(value), None, False, rng.choice(FOREIGN_FORMATS)),
        lambda: number(float(value), None, False, rng.choice(["0%", "0.00%", "yyyy-mm-dd", "[h]:mm", '"第"0"号"', ";;;"])),
        lambda: number(n, str(n), False, rng.choice(["#,##0,", "0.0,,", "0.00E+00", '0!.0,"万"', "# ?/?", '[>=10000]0.0,"万";0.00'])),
        lambda: text(rng.choice(["$", "US$", "€", "£", "HK$", "USD ", "港币"]) + grouped(value), None),
        lambda: text(grouped(value) + rng.choice(["$", "€", " EUR", " 美元", "日元", " zł", " SEK", "kr"]), None),
        lambda: text(grouped(value) + "-", plain_text(-value)),
        lambda: text("\u2212" + grouped(value), plain_text(-value)),
        lambda: text(f"{value:.2e}", None),
        lambda: text(rng.choice(["abc", "--5", "1.2.3", "12,34.5", "NaN", "inf", "0x10", "五百", "1_000", "5 5-", "+-5"]), None),
        lambda: text(f"{value:.2f}%", None),
        lambda: number(rng.randint(10**15, 10**18), None),
        lambda: Cell("bool", rng.random() < 0.5, None),
        lambda: Cell("error", rng.choice(ERRORS), None),
    ])()


def german(rng, declared):
    value = decimal(rng)
    body = grouped(value).translate(str.maketrans(",.", ".,"))
    bare = f"{value:.2f}".replace(".", ",")
    whole = f"{rng.randint(1000, 999_999):,}"
    return rng.choice([
        lambda: text(body, plain_text(value), declared),
        lambda: text(bare, plain_text(value), declared),
        lambda: text(whole.replace(",", "."), whole.replace(",", ""), declared),
        lambda: text(body + " €", plain_text(value), declared),
        lambda: text("-" + body, plain_text(-value), declared),
        lambda: text(f"{value:.2f}", None),
        lambda: text(rng.choice(["1,2,3", "1.23,4", "12.34"]), None),
    ])()


def percents(rng):
    points = Decimal(rng.randint(0, 20_000)) / 100
    one = points / 100
    tail = rng.randint(1, 999) / 700
    shown = kept(tail * 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
    long = kept(tail).as_tuple().exponent < -8
    return rng.choice([
        lambda: number(float(one), plain_text(points), True, rng.choice(["0.00%", "0%", "0.0%", "#,##0.00%", "[Red]0.00%"])),
        lambda: number(tail, plain_text(shown) if long else plain_text(kept(tail) * 100), True, "0.00%"),
        lambda: text(f"{points}%", plain_text(points), True),
        lambda: text(wide(f"{points}%"), plain_text(points), True),
        lambda: text(f"{points} %", plain_text(points), True),
        lambda: number(float(points), plain_text(points), True, rng.choice(["0.00", "General"])),
        lambda: number(float(one), plain_text(points if one < 1 else one), False, "[<1]0.00%;0.00"),
        lambda: number(-float(one), plain_text(-points), False, '0.00;[Red]-0.00%;0'),
        lambda: number(float(points), None, False, rng.choice(["yyyy-mm-dd", "[h]:mm", "[$$-409]0.00"])),
        lambda: text(rng.choice(["高", "8%%", "%", "5k", "1.2.3"]), None),
        lambda: Cell("error", rng.choice(ERRORS), None),
    ])()


def durations(rng):
    """Hours and minutes where a number is wanted: 8:30 is 8.5 hours or nothing, and never 0.354166."""
    minutes = rng.randint(1, 60 * 200)
    hours = Decimal(minutes) / 60
    meant = plain_text(hours) if hours == hours.quantize(Decimal("0.000001")) else None
    return rng.choice([
        lambda: number(minutes / 1440, meant, False, rng.choice(["[h]:mm", "[h]:mm:ss", "[mm]", "[$-409]h:mm AM/PM;@", "h:mm"])),
        lambda: number(minutes / 1440, meant, False, rng.choice(['[h]"小时"mm"分"', "mm:ss.0", "[ss]", "hh:mm:ss"])),
        lambda: text(f"{minutes // 60}:{minutes % 60:02}", meant),
        lambda: text(f"{minutes // 60}小时{minutes % 60}分", meant),
        lambda: number(minutes / 4, plain_text(Decimal(minutes) / 4), True, rng.choice(["0.00", "General", "0.00_ "])),
    ])()


# --- texts, truths, errors ----------------------------------------------------------------------------------------------

ALPHABET = "abc XYZ0189,;\"'&<>=-+_x甲乙丙工资（）￥😀é\u3042\t|%#/\\"
ERRORS = ["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"]


def texts(rng):
    body = "".join(rng.choice(ALPHABET) for _ in range(rng.randint(1, 30))).strip()
    if not body or body.startswith(("=", "'", "{")) or set(body) == {"#"} or "\t" in body[:1]:
        body = "备注"
    n = rng.randint(0, 10**9)
    like = rng.choice(["TRUE", "1E5", "00123", "2025-03", "3-4", "12,5", "-", "NULL", "1/2", "+86 139"])
    return rng.choice([
        lambda: text(body, body, True),
        lambda: text(body, body, True),
        lambda: text(body + "\n" + body, body + "\n" + body, True),
        lambda: text("  " + body + " ", body, True),
        lambda: text(like, like, True),
        lambda: number(n, str(n), True),
        lambda: Cell("bool", True, "TRUE"),
        lambda: Cell("error", rng.choice(ERRORS), None),
        lambda: Cell("blank", None, "", True),
        lambda: text("   ", "", True),
    ])()


def booleans(rng):
    truth = rng.random() < 0.5
    spelled = "TRUE" if truth else "FALSE"
    return rng.choice([
        lambda: Cell("bool", truth, spelled.lower(), True),
        lambda: Cell("bool", truth, spelled.lower(), True),
        lambda: text(spelled, spelled.lower(), True),
        lambda: number(rng.choice([0, 1, 2]), None),
        lambda: text(rng.choice(["true?", "Y", "T", "-"]), None),
        lambda: Cell("error", "#N/A", None),
    ])()


def errors(rng):
    return rng.choice([
        lambda: Cell("error", rng.choice(ERRORS), None),
        lambda: text(rng.choice(ERRORS + ["#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!", "#BUSY!", "#GETTING_DATA", "####", "Err:502"]), None),
        lambda: number(5, "5", True),
    ])()


# --- formulas, merged and hidden cells ----------------------------------------------------------------------------------

def formulas(rng):
    a, b = rng.randint(2, 9999), rng.randint(2, 99)
    total = str(a + b)
    stored = frozenset({"stored"})
    return rng.choice([
        lambda: Cell("formula", f"={a}+{b}", total, True, "0.00", a + b, total, needs=stored),
        lambda: Cell("formula", f"={a}+{b}", total, True, "General", a + b, total, needs=stored),
        lambda: Cell("formula", f"={a}+{b}", None, False, "0.00", None, total),
        lambda: Cell("formula", f"={a}*{b}", None, False, "General", None, str(a * b)),
        lambda: Cell("formula", f'=IF({a}>0,"","")', None, False, "General", "", None, needs=stored),
        lambda: Cell("formula", f'="{a}"&".50"', f"{a}.5", True, "General", f"{a}.50", f"{a}.5", needs=stored),
        lambda: Cell("formula", f"={a}/0", None, False, "General", "#DIV/0!", None, needs=stored),
        lambda: Cell("formula", f"={a}={a}", None, False, "General", True, None, needs=stored),
        lambda: number(a, str(a), True),
    ])()


def merged(rng):
    if rng.random() < 0.5:
        return number(rng.randint(1, 9999), None, False, "0.00", merged=rng.randint(1, 4))
    n = rng.randint(1, 9999)
    return number(n, str(n), True, "0.00")


def merged_texts(rng):
    word = "组" + str(rng.randint(1, 9999))
    return text(word, word, True, merged=rng.choice([0, 0, 1, 3]))


def hidden(rng):
    n, out = rng.randint(1, 9999), rng.random() < 0.5
    return number(n, None if out else str(n), not out, "0.00", hidden=out)


KINDS = {
    "id": ids, "date": days, "month": months, "money": money,
    "comma": lambda rng: german(rng, True), "undeclared": lambda rng: german(rng, False),
    "percent": percents, "duration": durations, "text": texts, "boolean": booleans, "error": errors,
    "formula": formulas, "merged": merged, "merged_text": merged_texts, "hidden": hidden,
}
