"""The benchmark of generators on a GPU where there is none: how texts are judged and timed, and the contestants on the CPU."""
import pytest

from tenon.bench.gpu_clock import SLEEP
from tenon.bench.gpu_generation_contest import GenerationContest
from tenon.errors import InternalError
from test_gpu_bench import Told


def generates(name, milliseconds, text, turns=3):
    """What a contestant answers; the first times are those of the turn that does not count."""
    both = [name, f"{name}, first token"]
    return {"prepare": [{"contenders": both, "text": [text], "generated": 4}],
            "time": [{"ms": dict(zip(both, ([milliseconds + turn] * 5, [1.0] * 5))), "sleep": SLEEP}
                     for turn in (99, *range(turns))]}


def verdict(**failures):
    names = {"tenon": "Tenon", "written": "torch as written", "plain": "plain graph"}
    return {"judge": [{"failures": {names[who]: failures.get(who, []) for who in names}, "decided": 0.9,
                       "equal": {"Tenon": [3], "torch as written": [4], "plain graph": [4]}}]}


def test_texts_are_judged_and_timed_whole():
    told = {"float64": verdict(plain=["row 0, token 1: 5 below the best"]), "Tenon": generates("Tenon", 2, [1, 2]),
            "torch as written": generates("torch as written", 4, [1, 2]), "plain graph": generates("plain graph", 1, [1, 3]),
            "torch.compile": {"prepare": [{"missing": "an error of its own"}]}}
    log = []
    with GenerationContest(["inductor"], begin=lambda name, device, folder: Told(name, told[name], log)) as contest:
        assert contest.peers == ["Tenon", "torch as written", "plain graph", "torch.compile"]
        result = contest.run("a case", {"Tenon": "x.tnx"})
        assert "float64" not in contest._processes  # its memory
    assert result == {"ms": {"Tenon": 3.0, "torch as written": 5.0}, "quartiles": {"Tenon": [2.0, 4.0], "torch as written": [4.0, 6.0]},
                      "first": {"Tenon": 1.0, "torch as written": 1.0},
                      "generated": 4, "equal": [3], "decided": 0.9,
                      "missing": {"plain graph": "a wrong text, row 0, token 1: 5 below the best",
                                  "torch.compile": "an error of its own"}}


@pytest.mark.parametrize("named, there", [
    ([], ["plain graph"]), (["flash"], []), (["cudnn", "inductor"], ["plain graph", "torch.compile"])])
def test_peers_that_are_named(named, there):
    with GenerationContest(named) as contest:
        assert contest.peers == ["Tenon", "torch as written", *there]


def test_a_wrong_text_of_tenon_is_an_error():
    told = {"float64": verdict(tenon=["row 0, token 1: 5 below the best"]), "Tenon": generates("Tenon", 2, [1, 2]),
            "torch as written": generates("torch as written", 4, [1, 2]), "plain graph": generates("plain graph", 1, [1, 3])}
    with GenerationContest([], begin=lambda name, device, folder: Told(name, told[name], [])) as contest, pytest.raises(
            InternalError, match="Tenon: row 0, token 1: 5 below the best"):
        contest.run("a case", {"Tenon": "x.tnx"})


SMALL_LLAMA = dict(vocab_size=199, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
                   num_key_value_heads=2, max_position_embeddings=128)


def test_generators_on_this_processor(tmp_path, monkeypatch):
    """The contestants themselves, on the same weights: their texts are one text, up to ties, and a wrong one is told."""
    import torch
    from tenon.bench import gpu_artefacts, gpu_models, gpu_plain
    from tenon.bench.gpu_worker import Contestant
    monkeypatch.setattr(gpu_models, "LLAMA", SMALL_LLAMA)
    monkeypatch.setattr(gpu_models, "PROMPT", 9)

    def plain(state, backend, caches=None):
        llama = gpu_plain.Llama(state, None, "model.model.model", heads=4, kv_heads=2, caches=caches, sees_past=True)
        return gpu_plain.LlamaStep(llama, state["model.model.lm_head.weight"])
    case = gpu_models.models()["Llama-3-8B shape, 4 layers, generates B1"]
    case.inputs = lambda: (torch.randint(0, 199, (2, 9), generator=torch.Generator().manual_seed(1)),)
    case.plain, case.batch, case.count = plain, 2, 7
    monkeypatch.setattr(gpu_models, "models", lambda: {"small": case})
    artefact = str(tmp_path / "small.tnx")
    gpu_artefacts._compile(gpu_artefacts._text_of_model(case), "cpu", artefact, {})
    given = {}
    for peer in ("Tenon", "torch as written", "plain graph"):
        contestant = Contestant(peer, "cpu")
        ready = contestant.answer(dict(do="prepare", case="small", artefacts={"Tenon": artefact}, exact=""))
        assert ready["contenders"] == [peer, f"{peer}, first token"] and ready["generated"] == 14
        assert set(contestant.answer(dict(do="time", rounds=1, names=ready["contenders"], sleep=SLEEP))["ms"]) == set(ready["contenders"])
        given[peer] = ready["text"]
    wrong = [row[:-1] + [(row[-1] + 1) % 199] for row in given["Tenon"]]
    given["wrong"] = wrong
    told = Contestant("float64", "cpu").answer(dict(do="judge", case="small", artefact=artefact, given=given))
    assert not any(told["failures"][peer] for peer in given if peer != "wrong") and len(told["equal"]["Tenon"]) == 2
    assert told["failures"]["wrong"] and told["decided"] > 0.5
