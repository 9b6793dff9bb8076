"""What engines that are written in Python make of labelled pairs: one JSON object a line for each.

    peers.py PAIRS.csv

Every pair gets entities of its own, since logic-v2 keeps the names of an entity by its id. The first pass, over a tenth of the pairs, is
not timed.
"""

import csv
import json
import sys
import time
from importlib.metadata import version

from followthemoney import EntityProxy, model
from nomenklatura.matching import get_algorithm
from rapidfuzz import fuzz, utils


def entity(schema, name, number):
    return EntityProxy.from_dict({"id": f"pair-{number}", "schema": schema, "properties": {"name": [name]}})


def logic(name):
    algorithm = get_algorithm(name)
    config = algorithm.default_config()
    numbers = iter(range(10**9))

    def score(row):
        one = entity(row["schema"], row["name1"], next(numbers))
        other = entity(row["schema"], row["name2"], next(numbers))
        return algorithm.compare(one, other, config).score

    return score


def weighted_ratio(row):
    return fuzz.WRatio(row["name1"], row["name2"], processor=utils.default_process) / 100


def main():
    with open(sys.argv[1], encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    nomenklatura = version("nomenklatura")
    engines = [
        (f"nomenklatura {nomenklatura} logic-v2", 0.7, logic("logic-v2")),
        (f"nomenklatura {nomenklatura} logic-v1", 0.7, logic("logic-v1")),
        (f"rapidfuzz {version('rapidfuzz')} WRatio", None, weighted_ratio),
    ]
    for name, threshold, score in engines:
        for row in rows[: len(rows) // 10]:
            score(row)
        began = time.perf_counter()
        scores = [score(row) for row in rows]
        spent = time.perf_counter() - began
        print(json.dumps({
            "name": name,
            "threshold": threshold,
            "scores": scores,
            "microseconds_a_pair": spent * 1e6 / max(len(rows), 1),
        }))


main()
