import datetime
import functools

from pyspark.sql import SparkSession

TYPES = {"string": "text", "bigint": "integer", "array<string>": "list", "timestamp_ntz": "local", "timestamp": "utc", "date": "date"}


class Engine:
    language = "Spark SQL"

    def __init__(self, zone, _options):
        # Small queries are faster with the first compiler of the JVM alone.
        settings = {"spark.sql.session.timeZone": zone, "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
                    "spark.ui.enabled": False, "spark.ui.showConsoleProgress": False, "spark.sql.shuffle.partitions": 2,
                    "spark.log.level": "ERROR", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
        self.spark = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()

    @functools.cache
    def scan(self, folder):
        return self.spark.read.option("mergeSchema", True).parquet(folder)

    def types(self, folder):
        return {name: TYPES.get(kind, kind) for name, kind in self.scan(folder).dtypes}

    def rows(self, folder):
        return collect(self.scan(folder))

    def texts(self, folder, keys, local, utc):
        chosen = keys + [f"CAST({name} AS STRING) AS {name}" for name in local]
        chosen += [f"unix_micros({name}) AS {name}" for name in utc]
        return collect(self.scan(folder).selectExpr(*chosen))

    def plan_of_day(self, folder, day):
        # `inputFiles` lists all files of the folder; the plan has those that are read.
        plan = self.scan(folder).where(f"day = '{day}'")._jdf.queryExecution().sparkPlan()
        partitions = plan.collectLeaves().head().inputRDDs().head().filePartitions()
        return " ".join(str(file) for index in range(partitions.size()) for file in partitions.apply(index).files())

    def accounts(self, setup):
        for statement in setup.split(";"):
            if statement.strip():
                self.spark.sql(statement)
        counts = self.spark.table("agent_skill_info").groupBy("account").count()
        return {row["account"]: row["count"] for row in counts.collect()}

    def recipe(self, setup, recipe, parameters):
        for statement in setup.split(";"):
            if statement.strip():
                self.spark.sql(statement)
        for name, value in parameters.items():
            if f"VARIABLE {name} " not in setup:
                continue
            literal = f"TIMESTAMP_NTZ '{value}'" if isinstance(value, datetime.datetime) else f"'{value}'"
            self.spark.sql(f"SET VARIABLE {name} = {literal}")
        return collect(self.spark.sql(recipe.strip().rstrip(";")))


def collect(frame):
    """Returns rows as dictionaries; instants, which Spark returns in the time zone of the process, in UTC."""
    instants = [name for name, kind in frame.dtypes if kind == "timestamp"]
    rows = [row.asDict() for row in frame.collect()]
    for row in rows:
        row |= {name: row[name] and row[name].astimezone(datetime.timezone.utc) for name in instants}
    return rows
