"""Archives for the tests, made with the standard library."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable

SKILLS = "20150208202330123456_agentSkillInfo.csv"
OPERATIONS = "20150208202330123456_agentOprInfo.csv"
HEADER = (
    "id,developer_id,account_id,sub_cc_no,vdn,agent_id,operate_time,operate_id,operate_type,"
    "skill_list,logon_sn,operate_sn,operate_end_time,renew_flag,update_time,month_of_year"
)


def skill_row(index: int, agent: str = "") -> str:
    """Returns a row of an agentSkillInfo file."""
    second, minute = index % 60, index // 60 % 60
    time = f"2015-02-08 20:{minute:02}:{second:02}"
    agent = agent or str(100 + index % 50)
    return f"r{index},dev,账户,7,1,{agent},{time},9,1,sales;support,L{index},1,{time},0,{time},2"


def archive(rows: Iterable[str], member: str = SKILLS, header: bool = True) -> bytes:
    """Returns a ZIP archive with one member."""
    return members({member: "\n".join([*([HEADER] if header else []), *rows, ""])})


def members(texts: dict[str, str]) -> bytes:
    """Returns a ZIP archive with these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zip:
        for name, text in texts.items():
            zip.writestr(name, text)
    return file.getvalue()
