"""Generation on a GPU: Tenon's generator beside transformers' model with the same cache and the step as a CUDA graph, beside
plain blocks likewise, and beside torch.compile of these (gpu_generation.py). As models in a process each, in turns; the
host's clock times whole texts, prompt and all, and the first token alone. Every text is judged in float64: equal to PyTorch's
own up to a tie (texts.py)."""
from tenon.bench.gpu_clock import summed_up
from tenon.bench.gpu_generation import FIRST
from tenon.bench.gpu_model_contest import ModelContest
from tenon.bench.gpu_peers import OTHERS, takes
from tenon.bench.gpu_worker import REFERENCE
from tenon.errors import InternalError

TURNS = 3


class GenerationContest(ModelContest):
    def __init__(self, peers, *options, turns=TURNS, **named):
        super().__init__(peers, *options, turns=turns, **named)
        self.peers = ["Tenon", "torch as written"]  # whose text the others' are judged by
        if takes("models", peers, "plain graph, cuDNN"):  # its attention is cuDNN's
            self.peers.append("plain graph")
        if "inductor" in peers:
            self.peers.append(OTHERS["models"]["inductor"])

    def run(self, name, artefacts):
        """`artefacts`: {"Tenon": path}."""
        artefact = str(artefacts["Tenon"])
        ready = self._all(self.peers, do="prepare", case=name, artefacts={"Tenon": artefact}, exact="")
        missing = {peer: answer["missing"] for peer, answer in ready.items() if "missing" in answer}
        texts = {peer: answer["text"] for peer, answer in ready.items() if "text" in answer}
        if "Tenon" in missing or len(texts) < 2:
            raise InternalError("; ".join(f"{peer}: {why}" for peer, why in missing.items()))
        verdict = self._all([REFERENCE], do="judge", case=name, artefact=artefact, given=texts)[REFERENCE]
        if "missing" in verdict:
            raise InternalError(f"the float64 reference: {verdict['missing']}")
        self._processes.pop(REFERENCE).end()  # its memory
        if verdict["failures"]["Tenon"]:
            raise InternalError(f"Tenon: {verdict['failures']['Tenon'][0]}")
        for peer, failures in verdict["failures"].items():
            if failures:
                missing[peer] = f"a wrong text, {failures[0]}"
        there = {peer: ready[peer]["contenders"] for peer in texts if peer not in missing}
        times = self._take_turns(there, missing)
        if "Tenon" not in times:
            raise InternalError(f"Tenon: {missing['Tenon']}")
        result = summed_up({peer: values for peer, values in times.items() if not peer.endswith(FIRST)})
        first = summed_up({peer.removesuffix(FIRST): values for peer, values in times.items() if peer.endswith(FIRST)})
        result |= {"first": first["ms"], "generated": ready["Tenon"]["generated"], "equal": verdict["equal"]["Tenon"],
                   "decided": verdict["decided"]}
        return result | ({"missing": missing} if missing else {})
