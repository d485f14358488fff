"""Producers: each writes the rows of one kind into a file, as its library does or as other programs do."""

import csv
import datetime
import zipfile
from xml.sax.saxutils import escape, quoteattr

from cells import serial

HEAD = ["编号", "值"]


def rows_of(cells):
    """Row number from 0, id and cell of each."""
    return [(index + 1, f"R{index}", cell) for index, cell in enumerate(cells)]


# --- openpyxl -----------------------------------------------------------------------------------------------------------

def openpyxl(path, cells, rng):
    from openpyxl import Workbook
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    book = Workbook()
    if rng.random() < 0.3:
        book.epoch = CALENDAR_MAC_1904
    book.iso_dates = rng.random() < 0.3
    sheet = book.active
    sheet.append(HEAD)
    for row, id_, cell in rows_of(cells):
        at = row + 1
        sheet.cell(at, 1, id_)
        target = sheet.cell(at, 2)
        if cell.what == "text":
            target.value = cell.value
            target.data_type = "s"
        elif cell.what == "blank":
            continue
        else:
            target.value = cell.value
            if cell.format != "General":
                target.number_format = cell.format
        if cell.merged:
            sheet.merge_cells(start_row=at, end_row=at + cell.merged, start_column=2, end_column=2)
        if cell.hidden:
            sheet.row_dimensions[at].hidden = True
    book.save(path)


# --- xlsxwriter ---------------------------------------------------------------------------------------------------------

def xlsxwriter(path, cells, rng):
    import xlsxwriter as library

    settings = {"date_1904": rng.random() < 0.3, "strings_to_numbers": False, "constant_memory": False}
    book = library.Workbook(path, settings)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEAD)
    formats = {}
    covered = 0
    for row, id_, cell in rows_of(cells):
        sheet.write_string(row, 0, id_)
        code = cell.format if cell.builtin is None else cell.builtin
        if code not in formats:
            formats[code] = book.add_format({"num_format": code})
        style = formats[code] if code != "General" else None
        if covered:
            covered -= 1
            continue
        covered = cell.merged
        if cell.merged:
            sheet.merge_range(row, 1, row + cell.merged, 1, cell.value, style)
        else:
            put(sheet, row, cell, style)
        if cell.hidden:
            sheet.set_row(row, None, None, {"hidden": True})
    book.close()


def put(sheet, row, cell, style):
    if cell.what == "text":
        sheet.write_string(row, 1, cell.value, style)
    elif cell.what == "number":
        sheet.write_number(row, 1, cell.value, style)
    elif cell.what == "day":
        sheet.write_datetime(row, 1, cell.value, style)
    elif cell.what == "bool":
        sheet.write_boolean(row, 1, cell.value, style)
    elif cell.what == "error":
        sheet.write_formula(row, 1, "=" + cell.value, style, cell.value)
    elif cell.what == "formula" and cell.stored is None:
        sheet.write_formula(row, 1, cell.value, style)
    elif cell.what == "formula":
        sheet.write_formula(row, 1, cell.value, style, cell.stored)


# --- as other programs write it -----------------------------------------------------------------------------------------

def raw(path, cells, rng):
    """A workbook tag by tag: shared, inline and rich texts, cells with and without their places, prefixes, both epochs."""
    styles, shared, body, merges = {("code", "General"): 0}, [], [], []
    old = rng.random() < 0.3
    prefix = rng.choice(["", "", "x:"])
    placed = rng.random() < 0.7
    covered = 0
    tag = lambda name: prefix + name
    body.append(row_xml(tag, 1, "".join(text_xml(tag, title, shared, rng, ref(at, 1, placed)) for at, title in enumerate(HEAD)), ""))
    for row, id_, cell in rows_of(cells):
        first = text_xml(tag, id_, shared, rng, ref(0, row + 1, placed))
        key = ("builtin", cell.builtin) if cell.builtin is not None else ("code", cell.format)
        style = styles.setdefault(key, len(styles))
        second = "" if covered else value_xml(tag, cell, style, shared, rng, ref(1, row + 1, placed), old)
        covered = covered - 1 if covered else cell.merged
        if cell.merged and second:
            merges.append(f"B{row + 1}:B{row + 1 + cell.merged}")
        hiding = rng.choice([' hidden="1"', ' hidden="true"', ' ht="0" customHeight="1"']) if cell.hidden else ""
        body.append(row_xml(tag, row + 1 if placed else None, first + second, hiding))
    merged = "".join(f'<{tag("mergeCell")} ref="{region}"/>' for region in merges)
    merged = f'<{tag("mergeCells")} count="{len(merges)}">{merged}</{tag("mergeCells")}>' if merges else ""
    package(path, tag, prefix, "".join(body), merged, shared, styles, old)


def ref(column, row, placed):
    return f' r="{"AB"[column]}{row}"' if placed else ""


def row_xml(tag, number, cells, attributes):
    at = f' r="{number}" spans="1:2"' if number else ""
    return f"<{tag('row')}{at}{attributes}>{cells}</{tag('row')}>"


def coded(value):
    """Text as XML holds it, with what it cannot hold."""
    return escape(value).replace("_x", "_x005F_x").replace("\r", "_x000D_")


def text_xml(tag, value, shared, rng, at, style=0):
    t = f'<{tag("t")} xml:space="preserve">{coded(value)}</{tag("t")}>'
    way = rng.choice(["shared", "shared", "inline", "rich", "aid"])
    if way == "rich" and len(value) > 1:
        half = rng.randint(1, len(value) - 1)
        if "_x" in value:
            half = len(value)
        runs = [value[:half], value[half:]]
        t = "".join(f'<{tag("r")}><{tag("t")} xml:space="preserve">{coded(run)}</{tag("t")}></{tag("r")}>' for run in runs)
    if way == "aid":
        t += f'<{tag("rPh")} sb="0" eb="1"><{tag("t")}>カナ</{tag("t")}></{tag("rPh")}>'
    if way == "inline":
        return f'<{tag("c")}{at} s="{style}" t="inlineStr"><{tag("is")}>{t}</{tag("is")}></{tag("c")}>'
    shared.append(t)
    return f'<{tag("c")}{at} s="{style}" t="s"><{tag("v")}>{len(shared) - 1}</{tag("v")}></{tag("c")}>'


def value_xml(tag, cell, style, shared, rng, at, old):
    def made(value, kind="", formula=""):
        kind = f' t="{kind}"' if kind else ""
        return f'<{tag("c")}{at} s="{style}"{kind}>{formula}<{tag("v")}>{value}</{tag("v")}></{tag("c")}>'

    if cell.what == "text":
        return text_xml(tag, cell.value, shared, rng, at, style)
    if cell.what == "number":
        return made(spelled(cell.value, rng))
    if cell.what == "day":
        number = serial_of(cell.value) - (1462 if old else 0)
        return made(spelled(number, rng)) if number >= 0 else made(cell.value.isoformat(), "d")
    if cell.what == "iso":
        return made(rng.choice([cell.value.isoformat(), cell.value.isoformat() + "T00:00:00", cell.value.isoformat() + "T00:00:00Z"]), "d")
    if cell.what == "bool":
        return made("1" if cell.value else "0", "b")
    if cell.what == "error":
        return made(cell.value, "e")
    if cell.what == "formula":
        return formula_xml(tag, cell, style, at, made)
    return ""


def formula_xml(tag, cell, style, at, made):
    formula = f'<{tag("f")}>{escape(cell.value[1:])}</{tag("f")}>'
    stored = cell.stored
    if stored is None:
        return f'<{tag("c")}{at} s="{style}">{formula}</{tag("c")}>'
    if isinstance(stored, bool):
        return made(int(stored), "b", formula)
    if isinstance(stored, str):
        return made(escape(stored), "e" if stored.startswith("#") else "str", formula)
    return made(stored, "n", formula)


def serial_of(value):
    if isinstance(value, datetime.datetime):
        return serial(value.date()) + (value.hour * 60 + value.minute) / 1440
    return serial(value)


def spelled(value, rng):
    if isinstance(value, int) and abs(value) < 10**15 and rng.random() < 0.2:
        return rng.choice([f"{value}.0", f"{value:.15E}", f" {value} "])
    return rng.choice([repr(value), "%.17g" % value])


def package(path, tag, prefix, rows, after, shared, styles, old):
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    link = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    names = f' xmlns{":" + prefix[:-1] if prefix else ""}="{main}" xmlns:r="{link}"'
    formats, xfs = "", ""
    for (how, code), index in styles.items():
        number = code if how == "builtin" else (0 if code == "General" else 170 + index)
        if how == "code" and number:
            formats += f'<{tag("numFmt")} numFmtId="{number}" formatCode={quoteattr(code)}/>'
        xfs += f'<{tag("xf")} numFmtId="{number}" applyNumberFormat="1"/>'
    relation = lambda number, kind, target: f'<Relationship Id="rId{number}" Type="{link}/{kind}" Target="{target}"/>'
    relations = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    texts = "".join(f'<{tag("si")}>{text}</{tag("si")}>' for text in shared)
    declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{types}"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package'
        f'.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}.sharedStrings+xml"/></Types>',
        "_rels/.rels": relations + relation(1, "officeDocument", "xl/workbook.xml") + "</Relationships>",
        "xl/workbook.xml": f'<{tag("workbook")}{names}><{tag("workbookPr")} date1904="{int(old)}"/><{tag("sheets")}>'
        f'<{tag("sheet")} name="工资" sheetId="1" r:id="rId1"/></{tag("sheets")}></{tag("workbook")}>',
        "xl/_rels/workbook.xml.rels": relations + relation(1, "worksheet", "worksheets/sheet1.xml")
        + relation(2, "styles", "styles.xml") + relation(3, "sharedStrings", "/xl/sharedStrings.xml") + "</Relationships>",
        "xl/styles.xml": f'<{tag("styleSheet")}{names}><{tag("numFmts")}>{formats}</{tag("numFmts")}><{tag("cellXfs")}>{xfs}'
        f'</{tag("cellXfs")}></{tag("styleSheet")}>',
        "xl/sharedStrings.xml": f'<{tag("sst")}{names}>{texts}</{tag("sst")}>',
        "xl/worksheets/sheet1.xml": f'<{tag("worksheet")}{names}><{tag("sheetData")}>{rows}</{tag("sheetData")}>{after}'
        f'</{tag("worksheet")}>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, declaration + content)


# --- CSV ----------------------------------------------------------------------------------------------------------------

def comma_separated(path, cells, rng):
    delimiter = rng.choice([",", ";", "\t"])
    encoding = rng.choice(["utf-8", "utf-8-sig", "utf-16", "gb18030"])
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    with open(path, "w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=rng.choice(["\n", "\r\n"]))
        writer.writerow(HEAD)
        for _, id_, cell in rows_of(cells):
            value = {"bool": lambda: str(cell.value).upper(), "blank": lambda: ""}.get(cell.what, lambda: cell.value)()
            writer.writerow([id_, value])
