"""Graphs made at random give what the float64 reference gives; `python -m random_graphs 20000 1` runs more of them."""
import os

import pytest
import random_graphs


def test_random_graphs(capsys):
    """RERUN=<seed> makes those of another seed."""
    seed = int(os.environ.get("RERUN", "1"))
    wrong = random_graphs.run(500, seed)
    said = capsys.readouterr().out
    with capsys.disabled():
        print(f"\n{said.splitlines()[-1]}")
    assert wrong == 0, said


@pytest.mark.parametrize("first", [101000120, 101000830])
def test_rare_alignments_of_errors(first):
    """One element in some millions is past what the first evaluations of the reference saw."""
    assert random_graphs.check(range(first, first + random_graphs.TOGETHER)) is None


def test_a_graph_is_its_seed_alone():
    assert random_graphs.text_of([5]) == random_graphs.text_of([5]) != random_graphs.text_of([6])
