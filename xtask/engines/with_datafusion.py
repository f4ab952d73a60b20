import subprocess

import pyarrow

TYPES = {"string": "text", "string_view": "text", "int64": "integer", "timestamp[us]": "local", "timestamp[us, tz=UTC]": "utc",
         "date32[day]": "date"}


class Engine:
    def __init__(self, zone, options):
        self.zone, self.program = zone, options["datafusion"]

    def fetch(self, folder, query):
        done = subprocess.run([self.program, self.zone, folder, query], stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode())
        return pyarrow.ipc.open_stream(done.stdout).read_all()

    def types(self, folder):
        return {field.name: kind(field.type) for field in self.fetch(folder, "SELECT * FROM t").schema}

    def rows(self, folder):
        return self.fetch(folder, "SELECT * FROM t").to_pylist()

    def texts(self, folder, keys, local, utc):
        chosen = [f'"{name}"' for name in keys] + [f'CAST("{name}" AS VARCHAR) AS "{name}"' for name in local]
        chosen += [f'CAST("{name}" AS BIGINT) AS "{name}"' for name in utc]
        return self.fetch(folder, f"SELECT {', '.join(chosen)} FROM t").to_pylist()

    def plan_of_day(self, folder, day):
        plan = self.fetch(folder, f"EXPLAIN SELECT * FROM t WHERE day = '{day}'").to_pylist()
        return next(row["plan"] for row in plan if row["plan_type"] == "physical_plan")


def kind(found):
    return "list" if pyarrow.types.is_list(found) else TYPES.get(str(found), str(found))
