import polars

import check

TYPES = {"String": "text", "Int64": "integer", "List(String)": "list", "Datetime(time_unit='us', time_zone=None)": "local",
         "Datetime(time_unit='us', time_zone='UTC')": "utc", "Date": "date"}


class Engine:
    language = "polars"

    def __init__(self, zone, options):
        names = {}
        exec(check.setup(self.language, options["folder"]), names)
        self.scan = names["scan"]

    def types(self, folder):
        return {name: TYPES.get(str(kind), str(kind)) for name, kind in self.scan(folder).collect_schema().items()}

    def rows(self, folder):
        return self.scan(folder).collect().to_dicts()

    def plan_of_day(self, folder, day):
        return self.scan(folder).filter(polars.col("day") == day).explain()

    def accounts(self, setup):
        names = {}
        exec(setup, names)
        return dict(names["agent_skill_info"].group_by("account").len().collect().rows())

    def recipe(self, setup, recipe, parameters):
        names = {}
        exec(setup, names)
        names |= parameters
        exec(recipe, names)
        return names["answer"].to_dicts()
