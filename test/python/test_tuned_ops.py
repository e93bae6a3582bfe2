"""The database that comes with Tenon against what it was made of, and against the cases that run its schedules on a GPU."""
import sys
from pathlib import Path

import pytest

from tenon.tune import database
from tenon.tune.sources import texts_of
from tenon.tune.tasks import find_tasks

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/gpu"))

import tuned_schedules  # noqa: E402
from families import cases_of  # noqa: E402

RECORDS = database.read(ROOT / "lib/Schedule/tuning/sm_90a.jsonl")


def test_each_line_has_its_record_and_each_record_its_line():
    tasks, left_out = find_tasks(texts_of(ROOT / "lib/Schedule/tuning/sm_90a.ops"), "sm_90a")
    assert {kernel for _, kernel, _ in left_out} <= {"concat"}  # of gates, when they are loaded
    keys = {database.key_of(task): task["name"] for task in tasks}
    records = set(map(database.key_of, RECORDS))
    assert not [name for key, name in keys.items() if key not in records], "lines that were not measured"
    assert not [key for key in records if key not in keys], "records that no line makes"


@pytest.fixture(scope="module")
def cases():
    return cases_of("tuned", 1)


def test_each_record_has_cases_by_hand(cases):
    """Of each of its types, with what is behind its product: rows, columns and depths that its tile divides and others."""
    for record in RECORDS:
        tuned_schedules.known(record)
        tile = tuned_schedules.Tile.of_schedule(record["schedule"])
        for dtype in tuned_schedules.TYPES[record["types"].split("*")[0]]:
            behind = tuned_schedules.STEPS.get(record["epilogue"]) or tuned_schedules.SCALES.get(record["epilogue"]) or ()
            found = [case for case in cases if case.schedule[0].endswith(f" = {record['schedule']}") and case.operands[0].dtype is dtype
                     and case.name.startswith(tuned_schedules.name_of(dtype, behind, tile))]
            assert len(found) == 2, record
            rows, columns = ([case.results[0].dims[d] for case in found] for d in (0, 1))
            assert max(rows) > tile.rows and any(size % tile.rows for size in rows), record
            assert max(columns) > tile.columns or tile.columns <= 16, record


def test_a_record_of_a_new_kind_has_none():
    with pytest.raises(KeyError, match="tell STEPS what it is"):
        tuned_schedules.known({**RECORDS[0], "epilogue": "tanh"})


def test_schedules_are_written_as_the_database_has_them():
    for record in RECORDS:
        assert tuned_schedules.Tile.of_schedule(record["schedule"]).schedule() == record["schedule"]
    assert tuned_schedules.Tile.of_name("16x64x256/4/1sl").schedule() == (
        "#tile.gemm<rows = 16, columns = 64, depth = 256, split_k = 4, swapped = true, by_last = true>")
