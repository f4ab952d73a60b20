import duckdb

TYPES = {"VARCHAR": "text", "BIGINT": "integer", "VARCHAR[]": "list", "TIMESTAMP": "local", "TIMESTAMP WITH TIME ZONE": "utc", "DATE": "date"}


class Engine:
    language = "DuckDB"

    def __init__(self, zone, _options):
        self.connection = duckdb.connect()
        self.connection.execute(f"SET TimeZone = '{zone}'")

    def scan(self, folder):
        return f"read_parquet('{folder}/**/*.parquet', hive_partitioning = true, union_by_name = true)"

    def types(self, folder):
        found = self.connection.sql(f"FROM {self.scan(folder)}")
        return {name: TYPES.get(str(kind), str(kind)) for name, kind in zip(found.columns, found.types)}

    def rows(self, folder):
        return self.fetch(f"FROM {self.scan(folder)}")

    def texts(self, folder, keys, local, utc):
        chosen = keys + [f"CAST({name} AS VARCHAR) AS {name}" for name in local]
        chosen += [f"epoch_us({name}) AS {name}" for name in utc]
        return self.fetch(f"SELECT {', '.join(chosen)} FROM {self.scan(folder)}")

    def plan_of_day(self, folder, day):
        query = f"SELECT * FROM {self.scan(folder)} WHERE day = '{day}'"
        return self.connection.sql(f"EXPLAIN (ANALYZE, FORMAT json) {query}").fetchall()[0][1]

    def recipe(self, setup, recipe, parameters):
        self.connection.execute(setup)
        for name, value in parameters.items():
            self.connection.execute(f"SET VARIABLE {name} = ?", [value])
        return self.fetch(recipe)

    def accounts(self, setup):
        self.connection.execute(setup)
        return dict(self.connection.execute("SELECT account, count(*) FROM agent_skill_info GROUP BY account").fetchall())

    def fetch(self, query):
        found = self.connection.execute(query)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row)) for row in found.fetchall()]
