"""PyTorch's models by TVM, untuned, for the contestants on a CPU (contestants.py) and on a GPU (gpu_worker.py). `tvm` has to be
imported before torch: after it, its intrinsics take a minute."""
import numpy


def imported(module, inputs, **options):
    """TVM's module of a PyTorch module; `options`: of its importer."""
    import torch
    from tvm.relax.frontend.torch import from_exported_program
    with torch.no_grad():
        return from_exported_program(torch.export.export(module, inputs, strict=False), keep_params_as_input=False, **options)


def built(module, target, device):
    """What runs TVM's module, with its default pipeline."""
    import tvm
    return tvm.relax.VirtualMachine(tvm.compile(module, target=target), device)


def half(module, inputs):
    """TVM's module of a PyTorch module in f16. Its importer makes `linear`, `addmm` and `conv2d` in f32, and then refuses to add
    a bias; attention it makes one function, which gets the schedule of last resort. So these are said here."""
    from tvm import relax
    op = relax.op

    def rule(make):
        return lambda node, importer: make(importer.block_builder.emit, *importer.retrieve_args(node), **{
            name: value for name, value in node.kwargs.items() if value is not None})

    def linear(emit, x, weight, bias=None):
        product = emit(op.matmul(x, emit(op.permute_dims(weight))))
        return product if bias is None else emit(op.add(product, bias))

    def addmm(emit, bias, x, weight):
        return emit(op.add(emit(op.matmul(x, weight)), bias))

    def conv2d(emit, x, weight, bias, strides):
        made = emit(op.nn.conv2d(x, weight, strides=strides, out_dtype="float32"))
        return emit(op.add(emit(op.astype(made, "float16")), emit(op.reshape(bias, (1, -1, 1, 1)))))

    def attention(emit, q, k, v, mask=None, dropout=0.0, is_causal=False):
        if mask is not None:
            raise NotImplementedError("no attention with a mask by TVM")
        tokens, size = (int(length) for length in list(q.ty.shape)[-2:])
        scores = emit(op.matmul(q, emit(op.permute_dims(k, (0, 1, 3, 2)))))
        scores = emit(op.multiply(scores, relax.const(size ** -0.5, "float16")))
        if is_causal:
            scores = emit(op.add(scores, relax.const(numpy.triu(numpy.full((tokens, tokens), -numpy.inf, "float16"), 1))))
        return emit(op.matmul(emit(op.nn.softmax(scores)), v))
    rules = {"linear": linear, "addmm": addmm, "conv2d": conv2d, "scaled_dot_product_attention": attention}
    found = imported(module, inputs, run_ep_decomposition=False, unwrap_unit_return_tuple=True,
                     custom_convert_map={f"{name}.default": rule(make) for name, make in rules.items()})
    return relax.transform.FuseTransposeMatmul()(found)  # else each weight is transposed first


def cuda_target(capability):
    """Without the `a` of sm_90a, with which TVM's rule for Tensor Cores does not fire."""
    import tvm
    major, minor = capability
    return tvm.target.Target({"kind": "cuda", "arch": f"sm_{major}{minor}", "max_shared_memory_per_block": 49152,
                              "max_threads_per_block": 1024, "thread_warp_size": 32})


def caller(module, inputs, device):
    """Of a PyTorch module of plain ops in f16: a call, which gives TVM's tensor; on a GPU it is TVM's own CUDA graph, on the
    default stream. `inputs` are on `device`, the parameters on the CPU."""
    import torch
    import tvm
    target, place = ("llvm", tvm.cpu()) if device == "cpu" else (cuda_target(torch.cuda.get_device_capability()), tvm.cuda())
    with tvm.transform.PassContext(opt_level=3, config={"relax.backend.use_cuda_graph": device != "cpu"}):
        main = built(half(module, tuple(value.cpu() for value in inputs)), target, place)["main"]
    theirs = [tvm.runtime.from_dlpack(value) for value in inputs]
    return lambda: main(*theirs)
