"""The recipes of docs/analysis.md, calculated record by record."""

import collections
import datetime
from zoneinfo import ZoneInfo

SIGN_OUT = (0, 29)
HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)


def answers(tables, parameters):
    """Returns the rows of each recipe by its heading."""
    operations = by_agent(tables["agentSkillInfo"].rows())
    states = tables["agentOprInfo"].rows()
    return {
        "Which skills did the agents have at a given time?": skills_at(operations, **parameters),
        "Who removed a skill in a period?": removals(operations, **parameters),
        "How many minutes was each agent in each state?": minutes(states, **parameters),
        "How many changes are there in each hour of the day?": per_hour(operations, **parameters),
        "How many agents had each skill, hour by hour?": per_skill(operations, **parameters),
    }


def by_agent(rows):
    agents = collections.defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["operate_time"], row["logon_sn"], row["operate_sn"])):
        agents[row["agent_id"]].append(row)
    return agents


def last_before(rows, time):
    found = [row for row in rows if row["operate_time"] <= time]
    return found[-1] if found else None


def is_signed_in(row):
    return row["operate_type"] not in SIGN_OUT


def skills_at(agents, at_time, **_):
    last = [(agent, last_before(rows, at_time)) for agent, rows in sorted(agents.items())]
    return [
        {"agent_id": agent, "skills": row["skill_list"], "since": row["operate_time"], "signed_in": is_signed_in(row)}
        for agent, row in last if row
    ]


def changes(rows):
    """Returns the operations of an agent other than signing out, each with the skills before it."""
    others = [row for row in rows if is_signed_in(row)]
    return [(row, before and before["skill_list"]) for before, row in zip([None, *others], others)]


def removals(agents, skill, period_begin, period_end, **_):
    found = [
        {"operate_time": row["operate_time"], "agent_id": agent, "removed_by": row["operate_id"], "operation": row["operate_type_name"]}
        for agent, rows in agents.items() for row, before in changes(rows)
        if before and skill in before and skill not in row["skill_list"] and period_begin <= row["operate_time"] < period_end
    ]
    return sorted(found, key=lambda row: (row["operate_time"], row["agent_id"]))


def per_hour(agents, period_begin, period_end, **_):
    operations, skills = collections.Counter(), collections.Counter()
    for rows in agents.values():
        for row, before in changes(rows):
            if period_begin <= row["operate_time"] < period_end:
                operations[row["operate_time"].hour] += 1
                skills[row["operate_time"].hour] += before is not None and set(before) != set(row["skill_list"])
    return [{"hour": hour, "operations": operations[hour], "skill_changes": skills[hour]} for hour in sorted(operations)]


def per_skill(agents, period_begin, period_end, **_):
    found, hour = [], period_begin
    while hour < period_end:
        counts = collections.Counter()
        for rows in agents.values():
            row = last_before(rows, hour)
            if row and is_signed_in(row):
                counts.update(set(row["skill_list"]))
        found += [{"hour": hour, "skill": skill, "agents": counts[skill]} for skill in sorted(counts)]
        hour += HOUR
    return found


def minutes(rows, zone, period_begin, period_end, **_):
    zone = ZoneInfo(zone)
    # The server may send an interval with the days that it begins and ends on.
    intervals = {}
    for row in rows:
        kept = intervals.get(row["id"])
        if kept is None or (row["end_time"] or datetime.datetime.min) > (kept["end_time"] or datetime.datetime.min):
            intervals[row["id"]] = row
    agents = collections.defaultdict(list)
    for row in intervals.values():
        if row["begin_time"]:
            agents[row["agent_id"]].append(row)
    sums = collections.Counter()
    for agent, own in agents.items():
        own.sort(key=lambda row: (instant(row["begin_time"], zone), row["id"]))
        for index, row in enumerate(own):
            began, ended = row["begin_time"], row["end_time"]
            following = own[index + 1]["begin_time"] if index + 1 < len(own) else period_end
            ended = instant(ended or following, zone)
            day = period_begin
            while day < period_end:
                since, until = max(instant(began, zone), instant(day, zone)), min(ended, instant(day + DAY, zone))
                if since < until and row["op_type"] not in (None, "0", "29"):
                    sums[agent, day.date(), row["op_type"], row["op_type_name"]] += (until - since).total_seconds() / 60
                day += DAY
    order = sorted(sums, key=lambda key: key[:3])
    return [{"agent_id": agent, "day": day, "op_type": code, "state": name, "minutes": sums[agent, day, code, name]} for agent, day, code, name in order]


def instant(local, zone):
    return local.replace(tzinfo=zone).astimezone(datetime.timezone.utc)
