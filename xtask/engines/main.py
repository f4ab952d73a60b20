"""Makes the datasets, and has each engine read them and run the recipes of docs/analysis.md.

`main.py --ccfs PROGRAM --folder DIR --datafusion PROGRAM ENGINE...`"""

import argparse
import collections
import datetime
import os
import pickle
import shutil
import subprocess
import sys
import time

import answers
import check
import dataset
import edges
import pages

ZONES = ["UTC", "Asia/Shanghai"]
# Datasets with accounts that engines take for numbers: DuckDB only without leading zeros.
ACCOUNTS = {"account": ["12"], "accounts": ["007", "12"]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ccfs", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--datafusion")
    parser.add_argument("engines", nargs="+")
    options = parser.parse_args()
    began = time.monotonic()
    path = prepare(options)
    print(f"datasets: made in {time.monotonic() - began:.0f} s", flush=True)
    failed = [f"{engine} in {zone}" for engine in options.engines for zone in ZONES if not passes(engine, zone, path)]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def passes(engine, zone, path):
    """Runs all checks of an engine in a separate process, and returns whether they pass."""
    began = time.monotonic()
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "check.py")
    log = os.path.join(os.path.dirname(path), f"{engine}-{zone.replace('/', '-')}.log")
    with open(log, "w", encoding="utf-8") as file:
        command = [sys.executable, "-B", program, engine, zone, path]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=file, env=os.environ | {"TZ": zone})
    if done.returncode not in (0, 4):
        with open(log, encoding="utf-8", errors="replace") as file:
            print(f"{engine}, session in {zone}: ended with {done.returncode}:\n{file.read()[-2000:]}")
    print(f"  {time.monotonic() - began:.0f} s", flush=True)
    return done.returncode == 0


def prepare(options):
    """Makes the datasets, calculates the answers, and returns the file that has all of it for `check.py`."""
    shutil.rmtree(options.folder, ignore_errors=True)
    folder = {name: os.path.join(options.folder, name) for name in ("emulated", "edges", "old", *ACCOUNTS)}
    for path in folder.values():
        os.makedirs(path)
    emulated, by_hand = dataset.emulated(options.ccfs, folder["emulated"]), dataset.by_hand(options.ccfs, folder["edges"])
    cases = {
        "emulated": {"folder": folder["emulated"], "parameters": parameters(emulated)},
        "edges": {"folder": folder["edges"], "parameters": {
            "at_time": datetime.datetime(2026, 10, 25, 2, 30), "skill": "7", "zone": edges.ZONE,
            "period_begin": datetime.datetime(2026, 10, 24), "period_end": datetime.datetime(2026, 10, 27)}},
    }
    cases["edges"]["answers"] = answers.answers(by_hand, cases["edges"]["parameters"])
    cases["emulated"]["answers"] = answers.answers(emulated, cases["emulated"]["parameters"])
    recipes = list(cases["emulated"]["answers"])
    check_recipes(recipes, cases)
    work = {
        "options": {"datafusion": options.datafusion, "folder": folder["emulated"]}, "cases": cases, "recipes": recipes,
        "accounts": {
            dataset.with_accounts(emulated["agentSkillInfo"], folder[name], accounts): accounts for name, accounts in ACCOUNTS.items()
        },
        "rows": len(emulated["agentSkillInfo"].rows()),
        "datasets": {"emulated": emulated, "edges": by_hand, check.OLD: dataset.with_old_day(emulated, folder["old"])},
    }
    path = os.path.join(options.folder, "work.pickle")
    with open(path, "wb") as file:
        pickle.dump(work, file)
    return path


def parameters(tables):
    """Returns parameters of the recipes that find something: the skill that is removed most often."""
    removed = collections.Counter()
    for rows in answers.by_agent(tables["agentSkillInfo"].rows()).values():
        for row, before in answers.changes(rows):
            removed.update(set(before or []) - set(row["skill_list"]))
    day = datetime.datetime.combine(dataset.DAYS[1], datetime.time())
    return {"at_time": day + datetime.timedelta(hours=14, minutes=30), "skill": removed.most_common(1)[0][0], "zone": tables["agentSkillInfo"].zone,
            "period_begin": day, "period_end": day + datetime.timedelta(days=3)}


def check_recipes(recipes, cases):
    """Fails if a recipe of the page is not calculated here, is missing on the page, or finds nothing."""
    languages = {language: set(pages.blocks(language)) - {check.SETUP, check.ACCOUNT} for language in ("DuckDB", "polars", "Spark SQL")}
    if languages["DuckDB"] != set(recipes):
        sys.exit(f"docs/analysis.md: the recipes in DuckDB SQL are {sorted(languages['DuckDB'])}, expected {sorted(recipes)}")
    for language in ("polars", "Spark SQL"):
        if len(languages[language]) < 2 or not languages[language] <= set(recipes):
            sys.exit(f"docs/analysis.md: the recipes for {language} are {sorted(languages[language])}, expected two of those in DuckDB SQL")
    for label, case in cases.items():
        empty = [heading for heading, rows in case["answers"].items() if not rows]
        if empty:
            sys.exit(f"{label}: no rows for {', '.join(empty)}; the data cannot show whether the recipe is right")


if __name__ == "__main__":
    main()
