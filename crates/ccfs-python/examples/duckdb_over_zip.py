"""Counts the operations in an archive with SQL, straight over the ZIP.

Run it with `python duckdb_over_zip.py skills.zip`.
"""

from __future__ import annotations

import sys

import ccfs
import duckdb


def main() -> None:
    """Prints a line for each type of operation."""
    changes = ccfs.open(sys.argv[1]).stream(
        "agentSkillInfo", columns=["agent_id", "operate_type_name"]
    )
    query = """
        select operate_type_name, count(*), count(distinct agent_id)
        from changes group by all order by all
    """
    for operation, count, agents in duckdb.execute(query).fetchall():
        print(f"{operation}: {count} changes of {agents} agents")
    print(f"{changes.rows} records")


if __name__ == "__main__":
    main()
