"""Graphs made at random give what the float64 reference gives; `python -m random_graphs 20000 1` runs more of them."""
import os

import random_graphs


def test_random_graphs(capsys):
    """RERUN=<seed> makes those of another seed."""
    seed = int(os.environ.get("RERUN", "1"))
    wrong = random_graphs.run(500, seed)
    said = capsys.readouterr().out
    with capsys.disabled():
        print(f"\n{said.splitlines()[-1]}")
    assert wrong == 0, said


def test_a_graph_is_its_seed_alone():
    assert random_graphs.text_of([5]) == random_graphs.text_of([5]) != random_graphs.text_of([6])
