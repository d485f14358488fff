"""Asks DuckDB what `insight.rs` asks of the store, over the rows that it wrote as CSV: `python insight_duckdb.py FOLDER`.

Needs `pip install duckdb`. Prints the time of each step: loading the CSV into memory once, and each question after that.
"""

import sys
import time

import duckdb

folder = sys.argv[1]
database = duckdb.connect()
database.execute("SET threads = 2")


def timed(what, sql):
    began = time.perf_counter()
    rows = database.execute(sql).fetchall()
    print(f"{what}: {time.perf_counter() - began:.2f} s")
    return rows


for table in ["metrics", "interviews", "results"]:
    timed(f"load {table}", f"CREATE TABLE {table} AS SELECT * FROM read_csv_auto('{folder}/{table}.csv')")

quantiles = """
    SELECT code, quantile_cont(CAST(value AS DOUBLE), [0.1, 0.5, 0.9]) FROM metrics
    WHERE until BETWEEN DATE '2025-01-01' AND DATE '2026-12-31' GROUP BY code ORDER BY code
"""
for row in timed("performance", quantiles):
    print("  ", *row)

correlation = """
    SELECT count(*), corr(score, sales) FROM
      (SELECT person, avg(overall) AS score FROM results JOIN interviews USING (interview) GROUP BY person)
    JOIN (SELECT person, avg(value) AS sales FROM metrics WHERE code = 'sales' GROUP BY person) USING (person)
"""
print("  ", *timed("overall against sales", correlation)[0])
