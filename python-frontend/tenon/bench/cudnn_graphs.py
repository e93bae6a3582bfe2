"""Attention of cuDNN that PyTorch does not reach: a graph of its front end, the Python package nvidia-cudnn-frontend, built once;
each function gives one that runs it. RuntimeError where the package is missing or cuDNN has no plan."""
import functools


def _told(make):
    @functools.wraps(make)
    def made(*arguments, **options):
        try:
            return make(*arguments, **options)
        except Exception as error:  # not installed, or no plan
            raise RuntimeError(f"{type(error).__name__}: {error}") from error
    return made


def _built(cudnn, torch, graph, pack, out):
    """`pack`: {tensor of the graph: tensor}; `out` is one of them."""
    graph.validate()
    graph.build_operation_graph()
    graph.create_execution_plans([cudnn.heur_mode.A])
    graph.check_support()
    graph.build_plans()
    workspace = torch.empty(graph.get_workspace_size(), dtype=torch.uint8, device="cuda")
    handle = cudnn.create_handle()

    def run():
        cudnn.set_stream(handle=handle, stream=torch.cuda.current_stream().cuda_stream)
        graph.execute(pack, workspace, handle=handle)
        return out
    return run


@_told
def attention(torch, q, k, v, causal, window=None, query_lengths=None, key_lengths=None):
    """In bf16, of q [B, Hq, Sq, D] and k, v [B, Hkv, Sk, D]. `window`: so many keys, the query's own the last. `query_lengths`,
    `key_lengths`: i32 [B], or neither."""
    import cudnn
    kind, out = cudnn.data_type.BFLOAT16, torch.zeros_like(q)
    graph = cudnn.pygraph(io_data_type=kind, intermediate_data_type=cudnn.data_type.FLOAT,
                          compute_data_type=cudnn.data_type.FLOAT)

    def tensor(value, data_type=kind):
        return graph.tensor(dim=list(value.shape), stride=list(value.stride()), data_type=data_type)
    data = {tensor(value): value for value in (q, k, v)}
    lengths = [] if key_lengths is None else [value.view(-1, 1, 1, 1) for value in (query_lengths, key_lengths)]
    counts = {tensor(value, cudnn.data_type.INT32): value for value in lengths}
    options = dict(zip(("seq_len_q", "seq_len_kv"), counts)) | ({"use_padding_mask": True} if counts else {})
    if causal:
        options["diagonal_band_right_bound"] = 0
    if window:
        options["diagonal_band_left_bound"] = window
    result, _ = graph.sdpa(**dict(zip("qkv", data)), generate_stats=False, attn_scale=q.shape[-1]**-0.5, **options)
    result.set_output(True).set_dim(list(out.shape)).set_stride(list(out.stride())).set_data_type(kind)
    return _built(cudnn, torch, graph, {**data, **counts, result: out}, out)


@_told
def attention_fp8(torch, q, k, v, scales):
    """In e4m3 with a scale a tensor; its result in e4m3, for it has no other."""
    import cudnn
    out, one = torch.empty_like(q), torch.ones(1, 1, 1, 1, device="cuda")
    largest = [torch.zeros(1, 1, 1, 1, device="cuda") for _ in range(2)]
    graph = cudnn.pygraph(io_data_type=cudnn.data_type.FP8_E4M3, intermediate_data_type=cudnn.data_type.FLOAT,
                          compute_data_type=cudnn.data_type.FLOAT)

    def tensor(value, kind=cudnn.data_type.FP8_E4M3):
        return graph.tensor(dim=list(value.shape), stride=list(value.stride()), data_type=kind)
    data = {tensor(value): value for value in (q, k, v)}
    numbers = {tensor(one, cudnn.data_type.FLOAT): value
               for value in [x.reshape(1, 1, 1, 1) for x in scales] + [one.clone() for _ in range(3)]}
    result, _, *peaks = graph.sdpa_fp8(*data, *numbers, is_inference=True, attn_scale=q.shape[-1]**-0.5,
                                       use_causal_mask=False)
    result.set_output(True).set_dim(list(out.shape)).set_stride(list(out.stride()))
    for peak in peaks:
        peak.set_output(True).set_dim([1, 1, 1, 1]).set_stride([1, 1, 1, 1]).set_data_type(cudnn.data_type.FLOAT)
    return _built(cudnn, torch, graph, {**data, **numbers, result: out, **dict(zip(peaks, largest))}, out)
