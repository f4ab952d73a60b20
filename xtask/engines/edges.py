"""Rows that a server may send, but the emulator does not: nulls, numbers above 2^53, unknown codes, odd text, additional
cells, days of 25 hours, intervals without an end or over midnight, and operations in the same second."""

import csv
import datetime
import io

import pages

# Summer time ends on 2026-10-25 at 03:00: the hour from 02:00 to 03:00 is repeated.
ZONE = "Europe/Berlin"
DAYS = [datetime.date(2026, 10, day) for day in (24, 25, 26)]
# 2^53 + 1, which a double cannot hold.
LONG = 9007199254740993


def cells(kind, values, extra=()):
    columns = pages.columns(kind)
    unknown = set(values) - set(columns)
    assert not unknown, unknown
    return [values.get(column, "") for column in columns] + list(extra)


def skill(day, id, agent, time, by, operation, skills, logon, number, **more):
    values = {"id": id, "developer_id": "dev", "account_id": "acc", "sub_cc_no": 1, "vdn": 2, "agent_id": agent, "operate_time": time,
              "operate_id": by, "operate_type": operation, "skill_list": skills, "logon_sn": logon, "operate_sn": number, "month_of_year": 10}
    # The last day comes from a newer server, with two more columns.
    return day, cells("agentSkillInfo", values | more, ["new", f"{id},x"] if day == 26 else [])


def operation(day, id, agent, begin, end, code, **more):
    values = {"id": id, "developer_id": "dev", "agent_id": agent, "begin_time": begin, "end_time": end, "op_type": code}
    return day, cells("agentOprInfo", values | more)


def call(day, id, **more):
    return day, cells("call", {"developer": "dev", "account_id": "acc", "call_id": id, "caller_no": "13800000000"} | more)


def record(day, id, **more):
    return day, cells("record", {"developer": "dev", "account_id": "acc", "call_id": id, "caller_no": "13800000000"} | more)


ROWS = {
    "agentSkillInfo": [
        skill(24, "s01", 101, "2026-10-24 08:00:00", 101, 1, "12;7", "L1", 1, update_time="2026-10-24 06:00:01"),
        skill(24, "s02", 101, "2026-10-24 09:00:00", 101, 2, "7;12", "L1", 2),
        # Twice in the same second: the sequence number decides.
        skill(24, "s03", LONG, "2026-10-24 23:59:59", LONG, 1, "7", "L2", 1),
        skill(24, "s04", LONG, "2026-10-24 23:59:59", LONG + 2, 3, "7;3", "L2", 2),
        skill(24, "s05", 103, "2026-10-24 10:00:00", 103, 1, "", "L3", 1, operate_end_time="9999-12-30 23:59:59"),
        # In the repeated hour, by a supervisor.
        skill(25, "s06", 101, "2026-10-25 02:30:00", LONG + 2, 31, "12", "L1", 3, operate_end_time="2026-10-25 03:00:00"),
        skill(25, "s07", LONG, "2026-10-25 18:00:00", LONG + 2, 29, "7;3", "L2", 3),
        skill(25, "s08", 101, "2026-10-25 23:59:59", 101, 0, "", "L1", 4),
        skill(25, "s09", 103, "2026-10-25 11:00:00", 5, 99, '7;a"b;数', "L3", 2),
        skill(25, "s10", 103, "2026-10-25 11:30:00", 5, "", "7", "L3", 3, renew_flag=-1),
        # Removed while signed out: the next sign-in shows it.
        skill(26, "s11", LONG, "2026-10-26 00:00:00", LONG, 1, "3", "L4", 1),
        skill(26, "s12", 101, "2026-10-26 08:00:00", 101, 1, "12;7", "L5", 1),
        skill(26, "s13", 101, "2026-10-26 08:00:00", 6, 3, "12", "L5", 2),
        skill(26, "s14", 104, "1900-01-01 00:00:00", 104, 1, "7", "L6", 1, update_time="1969-12-31 23:59:59"),
    ],
    "agentOprInfo": [
        operation(24, "o01", "101", "2026-10-24 08:00:00", "2026-10-24 08:00:00", "1"),
        # Open: it ends where the next one begins.
        operation(24, "o02", "101", "2026-10-24 08:00:00", "", "2"),
        operation(24, "o03", "101", "2026-10-24 08:20:30", "2026-10-24 09:00:00", "3", op_cause="lunch, \"long\""),
        # Over midnight, in the files of both days, and closed only in the second.
        operation(24, "o04", "101", "2026-10-24 23:30:00", "", "27"),
        operation(25, "o04", "101", "2026-10-24 23:30:00", "2026-10-25 00:30:00", "27"),
        # Four hours of the day of 25.
        operation(25, "o05", "101", "2026-10-25 01:00:00", "2026-10-25 04:00:00", "3", op_cause="2"),
        # The whole of a day, and parts of its neighbours; sent with two days.
        operation(24, "o06", "102", "2026-10-24 22:00:00", "2026-10-24 23:59:59", "26"),
        operation(26, "o06", "102", "2026-10-24 22:00:00", "2026-10-26 01:00:00", "26"),
        # Open, and the last one.
        operation(26, "o07", "103", "2026-10-26 20:00:00", "", "2"),
        operation(26, "o08", "103", "", "2026-10-26 10:00:00", ""),
        operation(26, "o09", "103", "2026-10-26 10:00:00", "2026-10-26 10:10:00", "999"),
        operation(26, "o10", "104", "2026-10-26 10:00:00", "2026-10-26 10:10:00", ""),
        operation(26, "o11", "104", "2026-10-26 10:10:00", "", "29"),
    ],
    "call": [
        call(24, "c1", device_no=0),
        call(24, "c2", wait_begin="2026-10-24 10:00:00", call_begin="2026-10-24 10:00:05", device_type=3, release_cause=-1, call_id_num=-1),
        call(25, "c3", call_begin="2026-10-25 02:00:00", call_end="2026-10-25 02:59:59", device_type=77, device_no=LONG),
        call(26, "c4", call_id_num=1, leave_reason="line 1\nline 2", pre_device_in=" "),
    ],
    "record": [
        record(24, "r1", call_begin="2026-10-24 00:00:00", task_status="1", call_type="0", file_name="Y:/a, b/\"c\".wav"),
        record(25, "r2", task_status="7", call_type="x", call_begin="2026-10-25 02:30:00"),
        record(26, "r3", original_file_name="录音.wav", call_begin="2026-10-26 00:00:00", call_end="9999-12-30 23:59:59"),
    ],
}


def text(rows):
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


FILES = {kind: {day: text(cells for number, cells in rows if number == day.day) for day in DAYS} for kind, rows in ROWS.items()}
