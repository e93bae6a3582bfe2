"""Contestants that generate text greedily on a GPU, each (gpu_worker.py) in a process of its own: a prompt, then a token after
the other, each chosen on the device, on a key/value cache of fixed size; a step is a CUDA graph. Each gives a function of a
count of tokens to text, on the host, [batch, prompt + count].
"""
from tenon.bench import texts

FIRST = ", first token"


def tenon(model, artefact):
    from tenon.compiler import load
    from tenon.generation import Generator
    if model.device != "cpu":
        model.torch.cuda.synchronize()  # the library reads the weights on a stream of its own
    generator = Generator(load(artefact, weights=model.state))
    return lambda count: generator.generate(*model.inputs, count).cpu()


def _looped(model, prefill, step):
    """`step` takes what the call before gave."""
    def generate(count):
        token, position = prefill(*model.inputs, model.torch.tensor(0, device=model.device))
        rows = [model.inputs[0], token.clone()]
        for _ in range(count - 1):
            token, position = step(token, position)
            rows.append(token.clone())
        return model.torch.cat(rows, 1).cpu()
    return generate


def _with_graph(model, module):
    """The step as a CUDA graph that leaves token and position where it takes them."""
    token, position = module(*model.inputs, model.torch.tensor(0, device=model.device))

    def advance():
        for place, value in zip((token, position), module(token, position)):
            place.copy_(value)
    replay = model.captured(advance)

    def step(last, at):
        if last is not token:
            token.copy_(last)
            position.copy_(at)
        replay()
        return token, position
    return _looped(model, module, step)


def as_written(model, artefact):
    """The module of transformers, with the cache of Tenon's generators, whose position is no buffer."""
    from tenon.bench.gpu_models import context_of
    from tenon.generation import CachedModel
    from tenon.generation.generator import Step
    from tenon.generation.sampling import Greedy
    module = model.built()
    module.load_state_dict({key.removeprefix("model.model."): value for key, value in model.state.items()}, assign=True)
    return _with_graph(model, Step(CachedModel(module, model.case.batch, context_of(model.case)), Greedy()).eval())


def plain_graph(model, artefact):
    return _with_graph(model, model.plain("CUDNN_ATTENTION"))


def inductor(model, artefact):
    torch, module = model.torch, model.plain("CUDNN_ATTENTION")
    for tensor in module.tensors():
        torch._dynamo.mark_static_address(tensor)
    compiled = torch.compile(module, mode="reduce-overhead", dynamic=False)

    def step(token, position):
        torch.compiler.cudagraph_mark_step_begin()
        return tuple(value.clone() for value in compiled(token, position))
    return _looped(model, step, step)


PEERS = {"Tenon": tenon, "torch as written": as_written, "plain graph": plain_graph, "torch.compile": inductor}


def contenders(peer, model, artefact):
    """({contender: call}, text): all tokens, and the first alone."""
    generate = PEERS[peer](model, artefact)
    count = model.case.count
    for _ in range(3):
        text = generate(count)
    return {peer: lambda: generate(count), peer + FIRST: lambda: generate(1)}, text


def judge(model, given):
    """{"failures", "equal", "decided"} of {contender: text}: what is no tie beside the text of PyTorch, the first that is not
    Tenon's, how many tokens of each row are equal, and the part of tokens that are no ties."""
    torch, start = model.torch, model.inputs[0].shape[1]
    found = {peer: torch.tensor(text, device=model.device) for peer, text in given.items()}
    theirs = next(text for peer, text in found.items() if peer != "Tenon")
    same, exact = model.plain(None), model.plain(None, torch.float64)
    bound = texts.tie_bound(exact.head_of(theirs, start), same.head_of(theirs, start).double())
    failures, equal = {}, {}
    for peer, text in found.items():
        failures[peer], equal[peer] = texts.compare(text, theirs, start, exact.head_of(text, start), bound)
    return {"failures": failures, "equal": equal, "decided": texts.decided(exact.head_of(theirs, start), bound)}
