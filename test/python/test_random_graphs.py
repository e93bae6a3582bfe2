"""Graphs made at random give what the float64 reference gives; `python -m random_graphs 20000 1` runs more of them."""
import random_graphs


def test_random_graphs(capsys):
    wrong = random_graphs.run(100, 1)
    assert wrong == 0, capsys.readouterr().out


def test_a_graph_is_its_seed_alone():
    assert random_graphs.text_of([5]) == random_graphs.text_of([5]) != random_graphs.text_of([6])
