"""Writes tables of random cells, and what they mean, into a folder: `produce.py FOLDER SEED CELLS [SOFFICE]`.

`meant.json` lists the files: producer, kind, and for each row its meaning (None: no reader may take one from it) and whether a
reader must take it. Producers whose library is not there are left out and named on standard output.
"""

import importlib.util
import json
import pathlib
import random
import subprocess
import sys

import write
from cells import KINDS

# What each producer can write in addition to texts, numbers, days and truths.
CAN = {
    "raw": {"builtin", "iso", "stored", "shape"},
    "openpyxl": {"shape"},
    "xlsxwriter": {"builtin", "stored", "shape"},
    "csv": set(),
}
WRITERS = {"raw": write.raw, "openpyxl": write.openpyxl, "xlsxwriter": write.xlsxwriter, "csv": write.comma_separated}
SHAPES = {"formula", "merged", "merged_text", "hidden"}


def cells_of(kind, producer, rng, count):
    """So many cells of the kind as the producer can write."""
    found = []
    while len(found) < count:
        cell = KINDS[kind](rng)
        if not cell.needs <= CAN[producer]:
            continue
        if producer == "csv" and cell.what not in {"text", "bool", "blank"}:
            continue
        if producer != "raw" and cell.what == "number" and not isinstance(cell.value, float) and abs(cell.value) >= 2**63:
            continue
        if producer in {"openpyxl", "xlsxwriter"} and cell.what == "text" and "_x" in str(cell.value):
            continue
        found.append(cell)
    if kind.startswith("merged"):
        cover(found)
    return found


def cover(cells):
    """What a merged cell covers means what it means itself."""
    left, above = 0, None
    for index, cell in enumerate(cells):
        if left:
            cell.meant, cell.plain, cell.merged, cell.value, cell.format = above.meant, above.plain, 0, None, above.format
            cell.what = "blank"
            left -= 1
            continue
        if cell.merged > len(cells) - index - 1:
            cell.merged = 0
            cell.meant = cell.meant if cell.what == "text" else str(cell.value)
        left, above = cell.merged, cell


def made(folder, producer, kind, rng, count):
    cells = cells_of(kind, producer, rng, count)
    path = folder / f"{producer}-{kind}.{'csv' if producer == 'csv' else 'xlsx'}"
    WRITERS[producer](str(path), cells, rng)
    return path, cells


def entry(path, producer, kind, cells):
    return {"file": path.name, "producer": producer, "kind": kind, "cells": [[cell.meant, cell.plain] for cell in cells]}


def office(folder, soffice, files):
    """The same tables opened and saved by LibreOffice, which calculates what was not."""
    sources = [(path, producer, kind, cells) for path, producer, kind, cells in files if producer in {"openpyxl", "csv"}]
    out = folder / "office"
    profile = f"-env:UserInstallation=file://{folder}/profile"
    subprocess.run(
        [soffice, profile, "--headless", "--convert-to", "xlsx", "--outdir", str(out)] + [str(path) for path, p, *_ in sources if p != "csv"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    entries = []
    for path, producer, kind, cells in sources:
        if producer == "csv":
            continue
        moved = folder / f"libreoffice-{kind}.xlsx"
        (out / path.name).rename(moved)
        for cell in cells:
            if cell.what == "formula":
                cell.meant, cell.plain = cell.calculated, cell.calculated is not None
        entries.append(entry(moved, "libreoffice", kind, cells))
    return entries


def main():
    folder, seed, count = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    soffice = sys.argv[4] if len(sys.argv) > 4 else None
    producers = [name for name in WRITERS if name in {"raw", "csv"} or importlib.util.find_spec(name)]
    for absent in set(WRITERS) - set(producers):
        print(f"{absent} is not there", flush=True)
    files, entries = [], []
    for producer in producers:
        for kind in KINDS:
            if producer == "csv" and kind in SHAPES or kind in {"comma", "undeclared"} and producer not in {"csv", "raw"}:
                continue
            path, cells = made(folder, producer, kind, random.Random(f"{seed} {producer} {kind}"), count)
            files.append((path, producer, kind, cells))
            entries.append(entry(path, producer, kind, cells))
    if soffice and "openpyxl" in producers:
        entries += office(folder, soffice, files)
    (folder / "meant.json").write_text(json.dumps(entries, ensure_ascii=False))


main()
